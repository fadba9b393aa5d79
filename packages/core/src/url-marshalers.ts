/** URLs and their parameters cross as themselves: structured clone would make empty objects of them. */
import { type Marshaler, registerMarshaler } from './marshaler.js'

const urlMarshaler: Marshaler<URL, string> = {
  kind: 'url',
  model: undefined,
  claimClass: (x) => x instanceof URL,
  apart: 'same',
  marshal: ({ href }) => href,
  unmarshal: (href) => new URL(href),
}

const parametersMarshaler: Marshaler<URLSearchParams, string> = {
  kind: 'url-search-params',
  model: undefined,
  claimClass: (x) => x instanceof URLSearchParams,
  apart: 'same',
  marshal: (parameters) => parameters.toString(),
  unmarshal: (text) => new URLSearchParams(text),
}

registerMarshaler(urlMarshaler)
registerMarshaler(parametersMarshaler)
