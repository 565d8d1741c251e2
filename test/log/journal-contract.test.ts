import { onTestFinished } from 'vitest'
import { openFeed } from '../../src/log/feed.ts'
import { startWriter } from '../../src/log/journal.ts'
import { openLog } from '../../src/log/reader.ts'
import { LogWriter } from '../../src/log/writer.ts'
import { journalContract, type OpenedJournal } from '../contracts/journal-contract.ts'
import { folder } from './sample.ts'

/** What is told of every commit before it is closed is on disk: closing in between is as good as dying. */
async function direct(path = folder()): Promise<OpenedJournal> {
  const writer = await LogWriter.open(path)
  const log = openLog(path)
  const close = async () => {
    log.close()
    await writer.close()
  }
  onTestFinished(close)
  return {
    journal: writer,
    log,
    feed: openFeed(writer.feed),
    reopen: () => close().then(() => direct(path)),
  }
}

async function threaded(path = folder()): Promise<OpenedJournal> {
  const thread = await startWriter(path)
  const log = openLog(path)
  const close = async () => {
    log.close()
    await thread.close()
  }
  onTestFinished(close)
  return {
    journal: thread.journal,
    log,
    feed: openFeed(thread.feed),
    reopen: () => close().then(() => threaded(path)),
  }
}

journalContract('the journal on LMDB', direct)
journalContract('the journal on LMDB, in a thread of its own', threaded)
