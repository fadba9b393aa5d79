/** Tells how its thread was started. */
export const environment = (name: string): string | undefined => process.env[name]
export const print = (text: string): void => console.log(text)
export const complain = (text: string): void => console.error(text)
export const limits = async (): Promise<unknown> => (await import('node:worker_threads')).resourceLimits
