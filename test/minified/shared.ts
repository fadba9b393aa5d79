/** Classes that the program and its worker both have, each under a name of its minifier's own. */
import { ApartmentThreaded } from '@flatshare/apartment'
import { registerCodec, registerError } from '@flatshare/core'

export class Mailbox {
  #messages: string[] = []
  deliver(subject: string): number {
    if (!subject) throw new MissingSubjectError('deliver')
    return this.#messages.push(subject)
  }
  itself(): this {
    return this
  }
  folder(): Folder {
    return new Folder()
  }
  move(point: Point): Point {
    return new Point(point.x + 1)
  }
}
ApartmentThreaded({ name: 'Mailbox' })(Mailbox)

/** Reached through a mailbox only; nobody named it. */
export class Folder {
  size(): number {
    return 3
  }
}
ApartmentThreaded()(Folder)

/** No decorator; the worker serves it. */
export class Served {
  answer(): number {
    return 42
  }
}

export class MissingSubjectError extends RangeError {
  constructor(readonly place: string) {
    super(`${place} needs a subject`)
  }
}
registerError({ MissingSubjectError })

export class Point {
  constructor(readonly x: number) {}
}
registerCodec(Point, { name: 'Point', encode: ({ x }) => x, decode: (x) => new Point(x as number) })
