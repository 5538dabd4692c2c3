import type { pages as source } from '../ko/pages'

export const pages: Readonly<Record<keyof typeof source, string>> = {
  'login.title': 'Sign in', 'login.username': 'User name', 'login.password': 'Password', 'login.submit': 'Sign in', 'login.language': 'Language',
  'setup.title': 'Create the administrator', 'setup.intro': 'This is the first start. Come by the one-time link the server printed and create the administrator.', 'setup.token': 'One-time token', 'setup.submit': 'Create administrator',
  'setup.repeat': 'Password again', 'setup.mismatch': 'The two passwords differ.', 'setup.password_rule': 'At least 12 characters',
}
