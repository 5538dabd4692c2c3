import { useEffect, useState } from 'react'

/** The value once it has stood still for a moment: what is typed does not flood the server. Compared as JSON. */
export function useSettled<T>(value: T, ms = 300): T {
  const key = JSON.stringify(value)
  const [settled, setSettled] = useState(key)
  useEffect(() => {
    const timer = setTimeout(() => setSettled(key), ms)
    return () => clearTimeout(timer)
  }, [key, ms])
  return JSON.parse(settled) as T
}
