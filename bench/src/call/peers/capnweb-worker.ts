import { workerData } from 'node:worker_threads'
import { newMessagePortRpcSession, type RpcStub, RpcTarget } from 'capnweb'
import { add, Counter, echo } from '../work.js'

type Listener = (x: number) => number

class RemoteCounter extends RpcTarget {
  readonly #counter: Counter

  constructor(start: number) {
    super()
    this.#counter = new Counter(start)
  }

  add(amount: number): number {
    return this.#counter.add(amount)
  }
}

export class Api extends RpcTarget {
  #heard!: RpcStub<Listener>

  add(a: number, b: number): number {
    return add(a, b)
  }

  echo(value: any): any {
    return echo(value)
  }

  listen(listener: RpcStub<Listener>): void {
    this.#heard = listener.dup() // the one that was passed ends with the call
  }

  callBack(x: number): Promise<number> {
    return this.#heard(x)
  }

  create(start: number): RemoteCounter {
    return new RemoteCounter(start)
  }
}

newMessagePortRpcSession(workerData, new Api())
