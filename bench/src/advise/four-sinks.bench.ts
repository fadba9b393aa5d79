import { adviseBenchmark } from './rows.js'

export default await adviseBenchmark(4)
