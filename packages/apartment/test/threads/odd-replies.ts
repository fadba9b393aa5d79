/** What methods of other people's objects may give, throw and resolve with. */
import { ApartmentThreaded } from '@flatshare/apartment'

function revoked(target: object = {}): object {
  const { proxy, revoke } = Proxy.revocable(target, {})
  revoke()
  return proxy
}

const fail = (): never => {
  throw new RangeError('on purpose')
}

@ApartmentThreaded()
export class OddReplies {
  // ── values that can't be read ──
  getterThrows(): unknown {
    return {
      get value() {
        return fail()
      },
    }
  }
  getterThrowsRevoked(): unknown {
    return {
      get value() {
        // eslint-disable-next-line @typescript-eslint/only-throw-error -- that is the test
        throw revoked()
      },
    }
  }
  revoked(): unknown {
    return revoked()
  }
  revokedInside(): unknown {
    return { list: [revoked()] }
  }
  revokedFunction(): unknown {
    return revoked(() => {})
  }
  trapsThrow(): unknown {
    return new Proxy({}, { ownKeys: fail, get: () => undefined })
  }
  everyTrapThrows(): unknown {
    return new Proxy({}, new Proxy({}, { get: fail }))
  }
  detached(): unknown {
    const buffer = new ArrayBuffer(8)
    structuredClone(buffer, { transfer: [buffer] })
    return { buffer }
  }
  async laterGetterThrows(): Promise<unknown> {
    return this.getterThrows()
  }
  async laterRevokedInside(): Promise<unknown> {
    return this.revokedInside()
  }
  deep(): unknown {
    let deep: unknown = {}
    for (let i = 0; i < 100_000; i++) deep = { deep }
    return deep
  }

  // ── what is thrown ──
  throwsRevoked(): never {
    // eslint-disable-next-line @typescript-eslint/only-throw-error -- that is the test
    throw revoked()
  }
  async rejectsRevokedInside(): Promise<never> {
    // eslint-disable-next-line @typescript-eslint/only-throw-error -- that is the test
    throw { inside: revoked() }
  }
  throwsGetters(): never {
    const error = new Error('hidden')
    for (const key of ['message', 'name', 'stack', 'cause', 'constructor', 'own']) {
      Object.defineProperty(error, key, { get: fail, enumerable: true })
    }
    throw error
  }
  throwsNames(): never {
    const error = new Error('kept')
    Object.assign(error, { name: Symbol('name'), own: revoked() })
    throw error
  }
  throwsFrozen(): never {
    // eslint-disable-next-line @typescript-eslint/only-throw-error -- that is the test
    throw Object.freeze(new RangeError('frozen'))
  }
  throwsNoPrototype(): never {
    throw Object.setPrototypeOf(new Error('bare'), null)
  }
  throwsCircle(): never {
    const error = new Error('circle')
    error.cause = error
    throw error
  }

  // ── thenables ──
  thenGetterThrows(): unknown {
    return {
      // biome-ignore lint/suspicious/noThenProperty: that is the test
      get then() {
        return fail()
      },
    }
  }
  thenItself(): unknown {
    const thenable = {
      // biome-ignore lint/suspicious/noThenProperty: that is the test
      then(resolve: (value: unknown) => void) {
        resolve(thenable)
      },
    }
    return thenable
  }
  thenThrows(): unknown {
    // biome-ignore lint/suspicious/noThenProperty: that is the test
    return { then: fail }
  }
  thenTwice(): unknown {
    return {
      // biome-ignore lint/suspicious/noThenProperty: that is the test
      then(resolve: (x: unknown) => void, reject: (x: unknown) => void) {
        resolve('first')
        resolve('second')
        reject(new Error('third'))
        fail()
      },
    }
  }
  thenRevoked(): unknown {
    // biome-ignore lint/suspicious/noThenProperty: that is the test
    return { then: (resolve: (x: unknown) => void) => resolve(revoked()) }
  }
  thenNested(): unknown {
    // biome-ignore lint/suspicious/noThenProperty: that is the test
    const inner = { then: (resolve: (x: unknown) => void) => resolve('inner') }
    // biome-ignore lint/suspicious/noThenProperty: that is the test
    return { then: (resolve: (x: unknown) => void) => resolve(inner) }
  }
  thenFunction(): unknown {
    // biome-ignore lint/suspicious/noThenProperty: that is the test
    return Object.assign(() => {}, { then: (resolve: (x: unknown) => void) => resolve('called') })
  }
  promiseOfItself(): unknown {
    const promise: Promise<unknown> = Promise.resolve().then(() => promise)
    return promise
  }
  promiseWithoutThen(): unknown {
    // biome-ignore lint/suspicious/noThenProperty: that is the test
    return Object.assign(Promise.resolve('awaited'), { then: () => {} })
  }
  promiseWithConstructor(): unknown {
    return Object.defineProperty(Promise.resolve('x'), 'constructor', { get: fail })
  }
  rejectsWithNothing(): Promise<never> {
    // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- that is the test
    return Promise.reject()
  }

  // ── sizes ──
  text(length: number): string {
    return 'x'.repeat(length)
  }
  bytes(length: number): Uint8Array {
    return new Uint8Array(length).fill(7)
  }
  list(length: number): number[] {
    return Array.from({ length }, (_, i) => i)
  }

  ping(): string {
    return 'pong'
  }
}
