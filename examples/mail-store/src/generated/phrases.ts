import type { Language } from './people.js'
import type { Random } from './random.js'

const topics = [
  'Build fails on a clean checkout',
  'Release plan',
  'Flaky test in the scheduler',
  'Proposal: shorter timeouts',
  'Memory use doubled',
  'Minutes of the weekly call',
  'Question about lock ordering',
  'Benchmark results',
  'Documentation for the new parser',
  'Deprecating the old format',
  'Patch: avoid a copy per call',
  'Welcome',
  'Crash when the disk is full',
  'Who maintains the mirror?',
  'Time zones again',
  'Call for reviewers',
]
const localTopics: Record<Language, readonly string[]> = {
  english: topics,
  german: ['Rückfrage zur Übersetzung', 'Fehler beim Öffnen der Datei', 'Nächstes Treffen in Köln', ...topics],
  french: ['Problème d’accès au dépôt', 'Réunion déplacée à jeudi', 'Traduction : où en est-on ?', ...topics],
  russian: ['Ошибка при чтении архива', 'Вопрос о кодировках', 'Встреча в четверг', ...topics],
  japanese: ['ビルドのエラー', 'リリースのよてい', 'つぎのミーティング', ...topics],
}

const sentences: Record<Language, readonly string[]> = {
  english: [
    'I can reproduce this on two machines, but only when the cache is cold.',
    'The second patch looks right to me; the first one needs a test.',
    'From what I can see, the queue is drained twice and nobody notices.',
    'Could somebody with access to the mirror have a look at the log?',
    'That is a fair point, and I had not thought of the case with no input at all.',
    'We measured it again with larger messages and the difference is gone.',
    'From here on the reader holds the lock until its last page is written.',
    'Let us keep the old name for one more release and print a warning.',
    'The numbers are attached; the median is what I would look at.',
    'My preference would be to fail early and say which option was wrong.',
    'It works, as long as nobody calls it from the callback.',
    'Thanks for the quick answer, that solved it for me.',
  ],
  german: [
    'Ich kann den Fehler hier nachstellen, allerdings nur mit größeren Dateien.',
    'Der zweite Vorschlag gefällt mir besser, er läßt sich später noch ändern.',
    'Könnte jemand prüfen, ob die Übersetzung vollständig ist?',
    'Für die nächste Version würde ich das gern übernehmen.',
  ],
  french: [
    'J’ai réussi à reproduire le problème, mais seulement à froid.',
    'La deuxième solution me paraît préférable : elle coûte moins cher.',
    'Quelqu’un pourrait-il relire la traduction avant jeudi ?',
    'Voilà les mesures ; l’écart a presque disparu.',
  ],
  russian: [
    'Ошибка повторяется только на больших файлах.',
    'Второй вариант мне нравится больше, он проще.',
    'Кто может проверить перевод до четверга?',
    'Спасибо, теперь всё работает.',
  ],
  japanese: [
    'おおきなファイルのときだけエラーになります。',
    'ふたつめのパッチはもんだいないとおもいます。',
    'テストのけっかをおくります、ごかくにんください。',
    'ありがとうございました。',
  ],
}

export function topic(random: Random, language: Language): string {
  return random.pick(localTopics[language])
}

/** Paragraphs of some lines each. */
export function paragraphs(random: Random, language: Language, count: number): string {
  const choices = sentences[language]
  let next = random.below(choices.length)
  return Array.from({ length: count }, () => {
    next += random.between(1, choices.length - 1)
    return Array.from({ length: random.between(2, 6) }, () => `${choices[next++ % choices.length]}\n`).join('')
  }).join('\n')
}
