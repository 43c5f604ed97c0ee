// A file from the server, kept by the browser under a name.
import { file, toApiError } from '../api/http'
import { toast } from '../notify/toast'

export async function download(path: string, name: string, options: Parameters<typeof file>[1] = {}): Promise<void> {
  try {
    const link = document.createElement('a')
    link.href = URL.createObjectURL(await file(path, options))
    link.download = name
    link.click()
    URL.revokeObjectURL(link.href)
  } catch (cause) {
    toast(toApiError(cause).message, 'trouble', 9000)
  }
}
