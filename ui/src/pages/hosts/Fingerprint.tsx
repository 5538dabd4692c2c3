import { t } from '@/i18n'
import { Icon } from '@/parts/Icon'
import { notifyDone, notifyFailed } from '@/parts/notify'

/** SHA-256 as four numbered lines of eight, for reading over a phone; no part stands out, so that all of it is compared. */
export function Fingerprint({ value }: { value: string }) {
  const pairs = value.replace(/[^0-9a-fA-F]/g, '').toUpperCase().match(/../g) ?? []
  const lines = [0, 8, 16, 24].map((from) => pairs.slice(from, from + 8))
  const copy = () => navigator.clipboard.writeText(value).then(() => notifyDone(t('act.copied')), notifyFailed)
  return (
    <div>
      <p className="row-flex"><span className="strong grow">{t('cert.fingerprint')}</span><button type="button" className="link small row-flex" onClick={() => void copy()}><Icon name="copy" />{t('act.copy')}</button></p>
      <ol className="fingerprint mono" aria-label={value}>
        {lines.map((line, index) => (
          <li key={index}><span className="fp-no">{t('cert.line', { n: index + 1 })}</span>{line.map((pair, at) => <span key={at}>{pair}</span>)}</li>
        ))}
      </ol>
    </div>
  )
}
