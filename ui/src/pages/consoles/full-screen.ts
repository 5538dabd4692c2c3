import { useEffect, useState } from 'react'

/** Not in TypeScript's DOM yet: https://wicg.github.io/keyboard-lock/ (Chromium). */
interface LockingNavigator {
  keyboard?: { lock?: () => Promise<void>; unlock?: () => void }
}

/**
 * Full screen of the whole page: dialogs and the palette must stay above the consoles. There the browser hands over the
 * keys it keeps otherwise (Win, Alt-Tab, Ctrl-W, Esc), where it can; Esc held down still leaves.
 */
export function useFullScreen(): [boolean, () => void] {
  const [full, setFull] = useState(document.fullscreenElement !== null)
  useEffect(() => {
    const note = () => setFull(document.fullscreenElement !== null)
    document.addEventListener('fullscreenchange', note)
    return () => document.removeEventListener('fullscreenchange', note)
  }, [])
  const toggle = async () => {
    const { keyboard } = navigator as LockingNavigator
    try {
      if (document.fullscreenElement) {
        keyboard?.unlock?.()
        await document.exitFullscreen()
      } else {
        // Missing on an iPhone: the page already fills what there is.
        await document.documentElement.requestFullscreen?.()
        await keyboard?.lock?.()
      }
    } catch {
      setFull(document.fullscreenElement !== null)
    }
  }
  return [full, () => void toggle()]
}

/** What a phone's keyboard covers: true while it is up, with the height that is left in `--seen`. */
export function useKeyboardUp(): boolean {
  const [up, setUp] = useState(false)
  useEffect(() => {
    const view = window.visualViewport
    if (!view || !matchMedia('(pointer: coarse)').matches) return
    const look = () => {
      const covered = view.scale === 1 && document.documentElement.clientHeight - view.height > 120
      document.documentElement.style.setProperty('--seen', `${view.height}px`)
      document.documentElement.style.setProperty('--seen-top', `${view.offsetTop}px`)
      setUp(covered)
    }
    view.addEventListener('resize', look)
    view.addEventListener('scroll', look)
    return () => {
      view.removeEventListener('resize', look)
      view.removeEventListener('scroll', look)
    }
  }, [])
  return up
}
