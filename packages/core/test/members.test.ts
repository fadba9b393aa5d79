import { type MemberContext, memberNotes, noteMember, ownMemberNotes } from '@flatshare/core/internal'
import { describe, expect, it } from 'vitest'

function Note(detail: string): any {
  return (target: unknown, context: MemberContext) => noteMember(target, context, { decorator: 'Note', detail })
}

describe('notes of member decorators', () => {
  it('are found from the class in the standard dialect', () => {
    let seen: unknown[] = []
    function Marked(Class: Function, context: ClassDecoratorContext) {
      seen = [...memberNotes(Class, context)]
    }
    @Marked
    class Decorated {
      @Note('field') a = 1
      @Note('one') @Note('two') b() {}
    }
    expect(seen).toEqual([
      [
        'b',
        [
          { decorator: 'Note', detail: 'two' },
          { decorator: 'Note', detail: 'one' },
        ],
      ],
      ['a', [{ decorator: 'Note', detail: 'field' }]],
    ])
    expect([...ownMemberNotes(Decorated).keys()]).toEqual(['b', 'a'])
  })

  it('are found from the class in the legacy dialect', () => {
    class Decorated {}
    Note('field')(Decorated.prototype, 'a')
    expect([...ownMemberNotes(Decorated)]).toEqual([['a', [{ decorator: 'Note', detail: 'field' }]]])
  })

  it('never land in the parent class', () => {
    class Parent {
      @Note('parent') a = 1
    }
    class Child extends Parent {
      @Note('child') b = 1
    }
    expect([...ownMemberNotes(Parent).keys()]).toEqual(['a'])
    expect([...ownMemberNotes(Child).keys()]).toEqual(['b'])
  })

  it('refuse private and static members at decoration', () => {
    expect(() => {
      class Refused {
        @Note('p') #p = 1
        p = () => this.#p
      }
      return Refused
    }).toThrow(/@Note can't decorate #p: it is private/)
    expect(() => {
      class Refused {
        @Note('s') static s = 1
        t = 1
      }
      return Refused
    }).toThrow(/@Note can't decorate s: it is static/)
    expect(() => Note('s')(class {}, 's')).toThrow(/static/)
  })
})
