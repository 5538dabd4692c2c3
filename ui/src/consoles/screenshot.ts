/** A console's picture as a file that says whose screen it is, who took it and when: across the picture and below it. */
import { day, clockSeconds } from '@/i18n/format'

const BAND = 28
const FONT = "'Pretendard Variable', Pretendard, 'Malgun Gothic', sans-serif"

export interface Mark {
  pharmacy: string
  vm: string
  by: string
  at: Date
}

export const markLine = ({ pharmacy, vm, by, at }: Mark): string => `${pharmacy} ${vm}  ·  ${by}  ·  ${day(at.toISOString())} ${clockSeconds(at.toISOString())}`

/** "강남온누리약국_POS-1_20261123-102411.png": sorts by place, then time; nothing a file system refuses. */
export function fileName({ pharmacy, vm, at }: Mark): string {
  const time = new Date(at.getTime() + 9 * 3_600_000).toISOString().slice(0, 19).replaceAll(/[-:]/g, '').replace('T', '-')
  const safe = (name: string) => name.replaceAll(/[^\p{L}\p{N}.-]+/gu, '-').replaceAll(/^[-.]+|-+$/g, '')
  return `${safe(pharmacy)}_${safe(vm)}_${time}.png`
}

export async function markedPicture(picture: HTMLCanvasElement, mark: Mark): Promise<Blob> {
  const canvas = document.createElement('canvas')
  canvas.width = picture.width
  canvas.height = picture.height + BAND
  const pen = canvas.getContext('2d')
  if (!pen) throw new Error('no canvas')
  pen.drawImage(picture, 0, 0)
  const line = markLine(mark)
  across(pen, picture, line)
  pen.fillStyle = 'black'
  pen.fillRect(0, picture.height, canvas.width, BAND)
  pen.fillStyle = 'white'
  pen.font = `500 13px ${FONT}`
  pen.textBaseline = 'middle'
  pen.fillText(line, 10, picture.height + BAND / 2, canvas.width - 20)
  const blob = await new Promise<Blob | null>((ready) => canvas.toBlob(ready, 'image/png'))
  canvas.width = 0
  if (!blob) throw new Error('no picture')
  return blob
}

/** Pale and slanted all over the picture, so that a part cut out of it still says where it came from. */
function across(pen: CanvasRenderingContext2D, { width, height }: HTMLCanvasElement, line: string): void {
  pen.save()
  pen.font = `600 15px ${FONT}`
  pen.beginPath()
  pen.rect(0, 0, width, height)
  pen.clip()
  pen.rotate(-Math.PI / 9)
  const step = pen.measureText(line).width + 120
  const reach = Math.hypot(width, height)
  for (let y = 0, row = 0; y < reach * 1.4; y += 150, row++) {
    for (let x = -reach + (row % 2) * (step / 2); x < reach; x += step) {
      // Light with a dark edge: to be seen on any ground.
      pen.strokeStyle = 'rgb(0 0 0 / 16%)'
      pen.strokeText(line, x, y)
      pen.fillStyle = 'rgb(255 255 255 / 20%)'
      pen.fillText(line, x, y)
    }
  }
  pen.restore()
}

export function saveFile(blob: Blob, name: string): void {
  const link = document.createElement('a')
  link.href = URL.createObjectURL(blob)
  link.download = name
  link.click()
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000)
}
