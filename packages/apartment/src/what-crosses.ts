/** All that crosses by more than a copy, for threads whose own modules import nothing of this package. */
import './reference-marshaler.js'
import './abort-signal-marshaler.js'
import './iterable-marshaler.js'
