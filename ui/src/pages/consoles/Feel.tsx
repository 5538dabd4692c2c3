import { useEffect, useState } from 'react'

import { screenOf } from '@/consoles/tabs'
import { t } from '@/i18n'

function rateWord(bits: number): string {
  return bits >= 995_000 ? t('console.feel.mbit', { n: (bits / 1e6).toFixed(1) }) : t('console.feel.kbit', { n: Math.round(bits / 1000) })
}

/** Response time and data rate of a console, looked at once a second. */
export function Feel({ at }: { at: string }) {
  const [, look] = useState(0)
  useEffect(() => {
    const timer = setInterval(() => look((n) => n + 1), 1000)
    return () => clearInterval(timer)
  }, [])
  const feel = screenOf(at)?.hands?.feel()
  if (!feel) return null
  const response = feel.response === undefined ? t('console.feel.none') : t('console.feel.ms', { n: Math.round(feel.response) })
  return <span className="console-feel small t2 nowrap" title={t('console.feel.title')}>{t('console.feel', { response, rate: rateWord(feel.rate) })}</span>
}
