//! What may happen next: a step of a process, or what goes wrong.

use std::time::Duration;

use dintero::Outcome;
use dintero::store::Record;
use dintero::store::protocol::{
    Content, Next, OnClaim, OnComplete, on_claim, on_claim_left, on_complete, on_granted, on_known, on_left,
    on_recovered, on_sent,
};
use serde_json::json;
use stateright::{Model, Property};

use super::state::{Attempt, Process, RECOVERY, Request, State};

const LEASE: Duration = Duration::from_secs(30);

/// A rule that is broken on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Broken {
    Nothing,
    /// The attempt is noted after it was sent.
    NoteAfterSend,
    /// A note is kept whoever holds the work by then.
    NoteWithoutFence,
    /// A call is sent although its time is up.
    SendAfterUntil,
    /// What is not seen is taken for not received at once.
    NoSettling,
    /// The store loses its data once.
    StoreLosesData,
    /// `recover` forgets what was noted without settling it.
    RecoverForgets,
    /// A request arrives later than the settle time: what no client can know.
    LaterThanSettled,
}

pub(crate) struct Protocol {
    pub(crate) broken: Broken,
    /// How much may go wrong altogether: crashes, losses, delays, leases that end while their holder lives.
    pub(crate) faults: u8,
    /// Whether there is a process that recovers.
    pub(crate) recovers: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Step {
    /// The process does its next step.
    Go(usize),
    Crash(usize),
    /// It hears nothing, or not the truth, of its call.
    TimeOut(usize),
    /// It gives up settling, and leaves the work open.
    Leave(usize),
    LeaseEnds,
    UntilPasses(usize),
    Deliver(usize),
    Lose(usize),
    LoseData,
}

impl Protocol {
    fn note(attempt: usize) -> Content {
        Content { note: Some(json!(attempt)), ..Content::default() }
    }

    /// What `resolve` says of an attempt, having read the transaction now; none while it goes on reading.
    fn resolve(&self, state: &State, attempt: usize) -> Option<Outcome> {
        let it = state.attempts[attempt];
        if state.captured > 0 {
            return Some(Outcome::Completed);
        }
        let may_arrive = it.open || (it.request == Request::OnTheWay && self.broken != Broken::LaterThanSettled);
        (!may_arrive || self.broken == Broken::NoSettling).then_some(Outcome::NotReceived)
    }

    fn go(&self, state: &State, who: usize) -> Option<State> {
        let mut after = state.clone();
        let recovers = who == RECOVERY;
        // Nobody waits for what `recover` comes to.
        let told = if recovers { Process::Away } else { Process::Told };
        let decide = |found: Option<&Record>| if recovers { on_claim_left(found) } else { on_claim(found, None) };
        let first = |is_noted| match (recovers, self.broken) {
            (true, Broken::RecoverForgets) => Next::Forget,
            (true, _) => on_left(is_noted),
            (false, _) => on_granted(is_noted),
        };
        let known = if recovers { on_recovered } else { on_known };
        after.processes[who] = match state.processes[who].clone() {
            Process::Told => return None,
            Process::Away if recovers => {
                let left = state.record.as_ref().filter(|record| !record.done && record.remaining.is_zero());
                Process::Claiming(Some(left?.clone()))
            }
            Process::Away => Process::Claiming(None),
            Process::Claiming(found) => match decide(found.as_ref()) {
                OnClaim::InProgress => Process::Away,
                OnClaim::Done(_) => told,
                OnClaim::Open(expected, content) => match after.change(expected, false, LEASE, &content) {
                    Ok(fence) => {
                        let attempt = content.note.and_then(|note| note.as_u64()).map(|note| note as usize);
                        Process::Holding { fence, next: first(attempt.is_some()), attempt }
                    }
                    Err(()) => Process::Claiming(state.record.clone()),
                },
            },
            Process::Holding { fence, next: Next::Look, .. } => {
                let outcome = if state.captured > 0 { Outcome::Completed } else { Outcome::NotReceived };
                Process::Holding { fence, next: on_known(outcome), attempt: None }
            }
            Process::Holding { fence, next: Next::Send, .. } if self.broken == Broken::NoteAfterSend => {
                after.attempts.push(Attempt { open: true, request: Request::NotSent });
                Process::Sending { fence, attempt: state.attempts.len() }
            }
            Process::Holding { fence, next: Next::Send, .. } => Process::Noting { fence },
            Process::Noting { fence } => {
                after.attempts.push(Attempt { open: true, request: Request::NotSent });
                let attempt = state.attempts.len();
                let fence = match self.broken {
                    Broken::NoteWithoutFence => state.record.as_ref().map(|record| record.fence),
                    _ => Some(fence),
                };
                match after.change(fence, false, LEASE, &Self::note(attempt)) {
                    Ok(fence) => Process::Sending { fence, attempt },
                    // Another holds it: the attempt is not made.
                    Err(()) => {
                        after.attempts.pop();
                        Process::Away
                    }
                }
            }
            Process::Sending { fence, attempt } => {
                if state.attempts[attempt].open || self.broken == Broken::SendAfterUntil {
                    after.attempts[attempt].request = Request::OnTheWay;
                    Process::Waiting { fence, attempt }
                } else {
                    Process::Holding { fence, next: on_sent(Outcome::NotSent), attempt: Some(attempt) }
                }
            }
            Process::Waiting { fence, attempt } => match state.attempts[attempt].request {
                Request::Executed => {
                    after.attempts[attempt].open = false;
                    Process::Holding { fence, next: on_sent(Outcome::Completed), attempt: Some(attempt) }
                }
                _ => return None,
            },
            Process::Holding { fence, next: Next::Settle, attempt } => {
                let outcome = self.resolve(state, attempt?)?;
                Process::Holding { fence, next: known(outcome), attempt }
            }
            Process::Holding { fence, next: Next::Complete, .. } => Process::Completing { expected: Some(fence) },
            Process::Completing { expected } => {
                let done = Content { result: Some(json!("completed")), ..Content::default() };
                match after.change(expected, true, LEASE, &done) {
                    Ok(_) => told,
                    Err(()) => match on_complete(state.record.as_ref()) {
                        OnComplete::Done(_) => told,
                        OnComplete::Write(expected) => Process::Completing { expected },
                    },
                }
            }
            Process::Holding { fence, next: Next::Forget, .. } => {
                if state.record.as_ref().is_some_and(|record| record.fence == fence) {
                    after.record = None;
                }
                Process::Away
            }
            // `TimeOut` and `Leave` are the ways on.
            Process::Holding { next: Next::Leave, .. } => return None,
        };
        Some(after)
    }
}

impl Model for Protocol {
    type State = State;
    type Action = Step;

    fn init_states(&self) -> Vec<State> {
        let processes = [Process::Away, Process::Away, Process::Away];
        let (attempts, faults) = (Vec::new(), self.faults);
        vec![State { record: None, fence: 0, processes, attempts, captured: 0, faults, lost_data: false }]
    }

    fn actions(&self, state: &State, steps: &mut Vec<Step>) {
        let fault = state.faults > 0;
        for (who, process) in state.processes.iter().enumerate() {
            if who == RECOVERY && !self.recovers {
                continue;
            }
            steps.push(Step::Go(who));
            let is_at_work = !matches!(process, Process::Away | Process::Told);
            if fault && is_at_work {
                steps.push(Step::Crash(who));
            }
            if let Process::Waiting { attempt, .. } = process {
                // A request that is lost ends in nothing else.
                if fault || state.attempts[*attempt].request == Request::Lost {
                    steps.push(Step::TimeOut(who));
                }
            }
            if fault && matches!(process, Process::Holding { next: Next::Settle, .. }) {
                steps.push(Step::Leave(who));
            }
        }
        if state.record.as_ref().is_some_and(|record| !record.done && !record.remaining.is_zero())
            && (fault || !state.is_held())
        {
            steps.push(Step::LeaseEnds);
        }
        for (number, attempt) in state.attempts.iter().enumerate() {
            let is_to_be_sent = state
                .processes
                .iter()
                .any(|process| matches!(process, Process::Sending { attempt, .. } if *attempt == number));
            if attempt.open && (fault || !is_to_be_sent) {
                steps.push(Step::UntilPasses(number));
            }
            if attempt.request == Request::OnTheWay {
                steps.push(Step::Deliver(number));
                if fault {
                    steps.push(Step::Lose(number));
                }
            }
        }
        if self.broken == Broken::StoreLosesData && !state.lost_data && state.record.is_some() {
            steps.push(Step::LoseData);
        }
    }

    fn next_state(&self, before: &State, step: Step) -> Option<State> {
        let mut state = before.clone();
        match step {
            Step::Go(who) => return self.go(before, who),
            Step::Crash(who) => {
                state.processes[who] = Process::Away;
                state.faults -= 1;
            }
            Step::TimeOut(who) => {
                let Process::Waiting { fence, attempt } = before.processes[who] else { return None };
                state.faults -= u8::from(before.attempts[attempt].request != Request::Lost);
                // The call is over: nothing more of it leaves.
                state.attempts[attempt].open = false;
                let next = on_sent(Outcome::Unknown);
                state.processes[who] = Process::Holding { fence, next, attempt: Some(attempt) };
            }
            Step::Leave(who) => {
                let Process::Holding { fence, attempt, .. } = before.processes[who] else { return None };
                assert_eq!(on_known(Outcome::Unknown), Next::Leave);
                let content = attempt.map(Self::note).unwrap_or_else(|| before.content());
                // `release`, which does nothing where another holds it.
                let _ = state.change(Some(fence), false, Duration::ZERO, &content);
                state.processes[who] = Process::Away;
                state.faults -= 1;
            }
            Step::LeaseEnds => {
                state.faults -= u8::from(before.is_held());
                state.record.as_mut()?.remaining = Duration::ZERO;
            }
            Step::UntilPasses(attempt) => {
                let is_to_be_sent = before
                    .processes
                    .iter()
                    .any(|process| matches!(process, Process::Sending { attempt: its, .. } if *its == attempt));
                state.faults -= u8::from(is_to_be_sent);
                state.attempts[attempt].open = false;
            }
            Step::Deliver(attempt) => {
                state.attempts[attempt].request = Request::Executed;
                state.captured += 1;
            }
            Step::Lose(attempt) => {
                state.attempts[attempt].request = Request::Lost;
                state.faults -= 1;
            }
            Step::LoseData => {
                state.record = None;
                state.lost_data = true;
            }
        }
        Some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("captured once at most", |_, state: &State| state.captured <= 1),
            Property::always("told only what is true", |_, state: &State| {
                state.captured == 1 || !state.processes.contains(&Process::Told)
            }),
            Property::sometimes("a dead process's request is found", |_, state: &State| {
                state.is_good_end() && state.fence > 3 && state.attempts.len() == 1
            }),
            Property::sometimes("a lost request is made again", |_, state: &State| {
                state.is_good_end() && state.attempts.iter().any(|attempt| attempt.request == Request::Lost)
            }),
        ]
    }
}
