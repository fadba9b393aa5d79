/** What `Mutex` does, and what `withTimeout` and `tryAcquire` give for one: the interface of `async-mutex`. */
export interface MutexInterface {
  acquire(priority?: number): Promise<MutexInterface.Releaser>
  runExclusive<T>(callback: MutexInterface.Worker<T>, priority?: number): Promise<T>
  waitForUnlock(priority?: number): Promise<void>
  isLocked(): boolean
  release(): void
  cancel(): void
}

export declare namespace MutexInterface {
  /** Releases what was acquired with it; once, however often it is called. */
  type Releaser = () => void

  /** What runs while the mutex is held. */
  type Worker<T> = () => Promise<T> | T
}

/** What `Semaphore` does, and what `withTimeout` and `tryAcquire` give for one: the interface of `async-mutex`. */
export interface SemaphoreInterface {
  acquire(weight?: number, priority?: number): Promise<[number, SemaphoreInterface.Releaser]>
  runExclusive<T>(callback: SemaphoreInterface.Worker<T>, weight?: number, priority?: number): Promise<T>
  waitForUnlock(weight?: number, priority?: number): Promise<void>
  isLocked(): boolean
  getValue(): number
  setValue(value: number): void
  release(weight?: number): void
  cancel(): void
}

export declare namespace SemaphoreInterface {
  /** Gives the weight back that was acquired with it; once, however often it is called. */
  type Releaser = () => void

  /** What runs while the semaphore is held; it is given the value that there was before. */
  type Worker<T> = (value: number) => Promise<T> | T
}
