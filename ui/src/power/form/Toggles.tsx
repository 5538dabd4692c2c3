import '@/parts/segments.css'

export interface Option<T extends string> {
  value: T
  label: string
}

/** A choice of one that stands side by side. */
export function Segments<T extends string>({ label, options, value, onChange }: { label: string; options: readonly Option<T>[]; value: T; onChange: (value: T) => void }) {
  return (
    <div className="segments" role="group" aria-label={label}>
      {options.map((one) => <button key={one.value} type="button" aria-pressed={one.value === value} onClick={() => onChange(one.value)}>{one.label}</button>)}
    </div>
  )
}

/** A choice of any of a few. */
export function Toggles<T extends string>({ label, options, value, onChange }: { label: string; options: readonly Option<T>[]; value: readonly T[]; onChange: (value: T[]) => void }) {
  const toggle = (one: T) => onChange(options.map((each) => each.value).filter((each) => (each === one ? !value.includes(each) : value.includes(each))))
  return (
    <div className="toggles" role="group" aria-label={label}>
      {options.map((one) => <button key={one.value} type="button" className={value.includes(one.value) ? 'chip on' : 'chip'} aria-pressed={value.includes(one.value)} onClick={() => toggle(one.value)}>{one.label}</button>)}
    </div>
  )
}

/** A label above something that is no single field. */
export function Labelled({ label, hint, children }: { label: string; hint?: React.ReactNode; children: React.ReactNode }) {
  return (
    <div className="labelled">
      <span className="labelled-label" aria-hidden="true">{label}</span>
      {children}
      {hint && <span className="small t3">{hint}</span>}
    </div>
  )
}
