/** What the calls carry. */

/** About 1 kB as JSON, four levels deep. */
export const nestedObject = {
  id: 'ord-20240917-000142',
  created: 1726570800000,
  paid: true,
  note: null,
  customer: {
    id: 90210,
    name: 'Margarethe Österreicher',
    mail: 'margarethe@example.org',
    address: { street: '12 Harbour Road', city: 'Rostock', zip: '18055', country: 'DE', position: [54.0924, 12.0991] },
  },
  items: [
    { sku: 'KB-104-DE', title: 'Keyboard, mechanical, German layout', amount: 1, price: 129.9, options: ['wired'] },
    { sku: 'MS-220-BK', title: 'Mouse, optical, black', amount: 2, price: 24.5, options: ['wireless', 'left hand'] },
    { sku: 'CB-003-20', title: 'Cable, USB-C to USB-A, 2 m', amount: 4, price: 7.25, options: [] },
    { sku: 'HD-871-WH', title: 'Headset with microphone, white', amount: 1, price: 89, options: ['noise cancelling'] },
  ],
  totals: { net: 253.63, tax: 43.27, shipping: 0, gross: 296.9, currency: 'EUR' },
  history: [
    { at: 1726570800000, state: 'ordered', by: 'web' },
    { at: 1726571160000, state: 'paid', by: 'card' },
    { at: 1726657560000, state: 'shipped', by: 'warehouse-2' },
  ],
}

/** 100 objects of one shape. */
export const objects = Array.from({ length: 100 }, (_, index) => ({
  id: index,
  name: `part ${index}`,
  price: index * 1.25,
  inStock: index % 3 !== 0,
}))

/** 10,000 ASCII characters. */
export const text = 'The quick brown fox jumps over the lazy dog, 0123456789. '.repeat(176).slice(0, 10_000)

/** 1 MB, in a buffer of its own. */
export const bytes = (): Uint8Array<ArrayBuffer> => new Uint8Array(1_000_000).map((_, index) => index)
