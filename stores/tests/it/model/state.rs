//! What there is at a moment: a record in the store, processes at their steps, and attempts at the service.

use std::time::Duration;

use dintero::store::Record;
use dintero::store::protocol::{Content, Next};

const NAME: &str = "money/capture";
/// The process that recovers; the others capture.
pub(crate) const RECOVERY: usize = 2;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct State {
    pub(crate) record: Option<Record>,
    pub(crate) fence: u64,
    pub(crate) processes: [Process; 3],
    pub(crate) attempts: Vec<Attempt>,
    /// How often the service has captured.
    pub(crate) captured: u8,
    pub(crate) faults: u8,
    pub(crate) lost_data: bool,
}

/// One attempt at the capture, by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Attempt {
    /// Whether its `until` is still to come.
    pub(crate) open: bool,
    pub(crate) request: Request,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Request {
    NotSent,
    OnTheWay,
    Lost,
    Executed,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Process {
    /// Not begun, dead, or waiting to ask again: the next thing is `claim`, or `claim_left` in `recover`.
    Away,
    /// In `claim`, having found this.
    Claiming(Option<Record>),
    /// Holding the work under a fence; what it does next, for which attempt.
    Holding { fence: u64, next: Next, attempt: Option<usize> },
    /// In `keep_note`, before sending.
    Noting { fence: u64 },
    /// Between the note and the first byte.
    Sending { fence: u64, attempt: usize },
    /// Waiting for the response.
    Waiting { fence: u64, attempt: usize },
    /// In `complete`, whose change expects this.
    Completing { expected: Option<u64> },
    /// The caller was told that it is completed.
    Told,
}

impl State {
    /// [`Store::change`](dintero::store::Store::change), as every store does it.
    pub(crate) fn change(
        &mut self,
        expected: Option<u64>,
        done: bool,
        remaining: Duration,
        content: &Content,
    ) -> Result<u64, ()> {
        if self.record.as_ref().map(|record| record.fence) != expected {
            return Err(());
        }
        self.fence += 1;
        let data = content.write();
        self.record = Some(Record { name: NAME.to_owned(), fence: self.fence, done, remaining, data });
        Ok(self.fence)
    }

    pub(crate) fn content(&self) -> Content {
        self.record.as_ref().map(|record| Content::read(&record.data)).unwrap_or_default()
    }

    /// Whether a living process holds the record.
    pub(crate) fn is_held(&self) -> bool {
        let held = self.record.as_ref().map(|record| record.fence);
        self.processes.iter().any(|process| match process {
            Process::Holding { fence, .. }
            | Process::Noting { fence }
            | Process::Sending { fence, .. }
            | Process::Waiting { fence, .. } => Some(*fence) == held,
            Process::Completing { expected } => *expected == held,
            Process::Away | Process::Claiming(_) | Process::Told => false,
        })
    }

    pub(crate) fn is_good_end(&self) -> bool {
        self.processes[..RECOVERY].iter().all(|process| *process == Process::Told)
            && self.captured == 1
            && self.record.as_ref().is_some_and(|record| record.done)
    }
}
