// Who may hear recordings at all; of which ones, the server decides each time.
import { may } from '../session/session'

export const mayHear = (): boolean => may('recordings.listen') || may('recordings.own')
