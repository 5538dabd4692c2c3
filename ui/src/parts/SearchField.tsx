import { useEffect, useRef, useState } from 'react'

import { Icon } from './Icon'

/** A page's own search (`/` focuses it). The value settles before it is reported, so that the address follows typing calmly. */
export function SearchField({ value, label, onSearch }: { value: string; label: string; onSearch: (q: string) => void }) {
  const [text, setText] = useState(value)
  const [asked, setAsked] = useState(value)
  // The address changed from elsewhere (back button, reset): follow it.
  if (value !== asked) {
    setAsked(value)
    setText(value)
  }
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined)
  useEffect(() => () => clearTimeout(timer.current), [])
  const report = (q: string, wait: number) => {
    clearTimeout(timer.current)
    timer.current = setTimeout(() => {
      setAsked(q)
      onSearch(q)
    }, wait)
  }
  return (
    <label className="search-field">
      <Icon name="search" />
      <span className="sr">{label}</span>
      <input
        type="search" data-page-search placeholder={label} value={text} autoComplete="off" spellCheck={false}
        onChange={(event) => {
          setText(event.currentTarget.value)
          report(event.currentTarget.value.trim(), 150)
        }}
        onKeyDown={(event) => {
          if (event.code !== 'Escape' || text === '') return
          setText('')
          report('', 0)
        }}
      />
      {text === '' && <kbd aria-hidden="true" className="phone-hide">/</kbd>}
    </label>
  )
}
