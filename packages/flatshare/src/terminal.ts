/** `flatshare/terminal`: draws progress as bars. */
export * from '@flatshare/progress/terminal'
