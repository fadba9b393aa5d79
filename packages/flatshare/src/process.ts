/** `flatshare/process`: apartments in other processes (Node). */
export * from '@flatshare/process'
