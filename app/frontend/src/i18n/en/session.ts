// English texts of logging in.
import type { session as zh } from '../zh/session'

export const session: Record<keyof typeof zh, string> = {
  'login.title': 'Log in',
  'login.name': 'Account',
  'login.password': 'Password',
  'login.show': 'Show password',
  'login.submit': 'Log in',
  'login.busy': 'Logging in…',
  'login.nameMissing': 'Enter your account',
  'login.passwordMissing': 'Enter your password',
  'login.first': 'First login: choose a password of your own',
  'login.firstHint': 'The one-time password works only once. The new one needs at least 10 characters; a sentence you can remember is best.',
  'login.old': 'Current (one-time) password',
  'login.new': 'New password',
  'login.again': 'New password again',
  'login.change': 'Change password and go on',
  'login.tooShort': 'The new password needs at least 10 characters',
  'login.differ': 'The two new passwords differ',
  'login.ended': 'Your login has ended. Log in again to go on; what was not saved is still on this computer.',
}
