import { type Conversation, Conversations } from './conversations.js'
import { type Failure, isFailure, type Outcome } from './message.js'
import { type Tallied, Tally } from './tally.js'

export interface IndexSummary {
  conversations: number
  largestConversations: Conversation[]
  /** How many different addresses mail came from. */
  distinctSenders: number
  senders: Tallied[]
  /** By the senders' own calendars, `YYYY-MM-DD`. */
  days: Tallied[]
  /** The first ones of the archive. */
  failures: Failure[]
}

const failuresKept = 100

/** The indexes by text over all messages. What it answers doesn't depend on the order of the batches. */
export class MailIndex {
  readonly #conversations = new Conversations()
  readonly #senders = new Tally()
  readonly #days = new Tally()
  #failures: Failure[] = []

  add(batch: readonly Outcome[]): void {
    for (const outcome of batch) {
      if (isFailure(outcome)) this.#failures.push(outcome)
      else {
        this.#conversations.add(outcome)
        if (outcome.from !== null) this.#senders.add(outcome.from)
        if (outcome.day !== null) this.#days.add(outcome.day)
      }
    }
    if (this.#failures.length > 2 * failuresKept) this.#failures = this.#firstFailures()
  }

  summarize(limit = 10): IndexSummary {
    return {
      conversations: this.#conversations.count,
      largestConversations: this.#conversations.largest(limit),
      distinctSenders: this.#senders.distinct,
      senders: this.#senders.top(limit),
      days: this.#days.top(limit),
      failures: this.#firstFailures(),
    }
  }

  #firstFailures(): Failure[] {
    return this.#failures.sort((a, b) => a.offset - b.offset).slice(0, failuresKept)
  }
}
