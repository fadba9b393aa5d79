/**
 * Where whoever watches is notified: on the first thread that initialised, on the thread that wrapped the sink, or on
 * Flatshare's own.
 */
export const notifyPlaces = ['first-thread', 'this-thread', 'service-thread'] as const
export type NotifyPlace = (typeof notifyPlaces)[number]
