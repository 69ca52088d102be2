//! The protocol of claim, note, send, settle, complete and recover, checked exhaustively: two processes, a store and a
//! service that knows no references, with crashes at every step, late and lost requests, lost responses and leases that
//! end while their holder lives. No capture is made twice and none is stranded.
//!
//! What a claim and a completion decide is decided by the crate's own functions, `on_claim` and `on_complete`. What a
//! holder does that keeps to the contract of `Held` stands here, in `on_granted`, `on_known` and `on_sent`: it settles
//! what an earlier holder noted, notes its own attempt before it sends, and sends nothing once the work is not its own.
//! Each of these rules is then broken on purpose, and the checker finds the double.

use std::collections::{HashMap, VecDeque};

use std::time::Duration;

use dintero::store::Record;
use dintero::store::protocol::{Content, OnClaim, OnComplete, on_claim, on_complete};
use serde_json::json;
use stateright::{Checker, HasDiscoveries, Model, Property};

/// What is known of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Known {
    Completed,
    NotReceived,
    NotSent,
    Unknown,
}

/// What the holder of a money call does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Next {
    /// Look for the reference in what the service has.
    Look,
    /// Note a new attempt, and if the work is still held, send it.
    Send,
    /// Find out what became of the attempt that was noted.
    Settle,
    Complete,
    /// Forget the note: nothing of it was sent.
    Forget,
    /// Leave the work open, for whoever comes next.
    Leave,
}

/// After the claim: what an earlier holder noted may have been sent.
fn on_granted(is_noted: bool) -> Next {
    if is_noted { Next::Settle } else { Next::Look }
}

/// By what was seen, or by what became of an earlier attempt.
fn on_known(known: Known) -> Next {
    match known {
        Known::Completed => Next::Complete,
        Known::NotReceived | Known::NotSent => Next::Send,
        Known::Unknown => Next::Leave,
    }
}

/// By what the call ended with.
fn on_sent(known: Known) -> Next {
    match known {
        Known::Completed => Next::Complete,
        Known::NotSent => Next::Forget,
        Known::Unknown | Known::NotReceived => Next::Settle,
    }
}

/// A rule that is broken on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Broken {
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
    /// A request arrives later than the settle time: what no client can know.
    LaterThanSettled,
}

struct Protocol {
    broken: Broken,
    /// How much may go wrong altogether: crashes, losses, delays, leases that end while their holder lives.
    troubles: u8,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct State {
    record: Option<Record>,
    fence: u64,
    processes: [Process; 2],
    attempts: Vec<Attempt>,
    /// How often the service has captured.
    captured: u8,
    troubles: u8,
    lost_data: bool,
}

/// One attempt at the capture, by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Attempt {
    /// Whether its `until` is still to come.
    open: bool,
    request: Request,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Request {
    NotSent,
    OnTheWay,
    Lost,
    Executed,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Process {
    /// Not begun, dead, or waiting to ask again: the next thing is `claim`.
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

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Step {
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

const NAME: &str = "money/capture";
const LEASE: Duration = Duration::from_secs(30);

impl State {
    /// [`Store::change`](dintero::store::Store::change), as every store does it.
    fn change(&mut self, expected: Option<u64>, done: bool, remaining: Duration, content: &Content) -> Result<u64, ()> {
        if self.record.as_ref().map(|record| record.fence) != expected {
            return Err(());
        }
        self.fence += 1;
        let data = content.write();
        self.record = Some(Record { name: NAME.to_owned(), fence: self.fence, done, remaining, data });
        Ok(self.fence)
    }

    fn content(&self) -> Content {
        self.record.as_ref().map(|record| Content::read(&record.data)).unwrap_or_default()
    }

    /// Whether a living process holds the record.
    fn is_held(&self) -> bool {
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

    fn is_good_end(&self) -> bool {
        self.processes.iter().all(|process| *process == Process::Told)
            && self.captured == 1
            && self.record.as_ref().is_some_and(|record| record.done)
    }
}

impl Protocol {
    fn note(attempt: usize) -> Content {
        Content { note: Some(json!(attempt)), ..Content::default() }
    }

    /// What `resolve` says of an attempt, having read the transaction now; none while it goes on reading.
    fn resolve(&self, state: &State, attempt: usize) -> Option<Known> {
        let it = state.attempts[attempt];
        if state.captured > 0 {
            return Some(Known::Completed);
        }
        let may_arrive = it.open || (it.request == Request::OnTheWay && self.broken != Broken::LaterThanSettled);
        (!may_arrive || self.broken == Broken::NoSettling).then_some(Known::NotReceived)
    }

    fn go(&self, state: &State, who: usize) -> Option<State> {
        let mut after = state.clone();
        after.processes[who] = match state.processes[who].clone() {
            Process::Told => return None,
            Process::Away => Process::Claiming(None),
            Process::Claiming(found) => match on_claim(found.as_ref(), None) {
                OnClaim::InProgress => Process::Away,
                OnClaim::Done(_) => Process::Told,
                OnClaim::Open(expected, content) => match after.change(expected, false, LEASE, &content) {
                    Ok(fence) => {
                        let attempt = content.note.and_then(|note| note.as_u64()).map(|note| note as usize);
                        Process::Holding { fence, next: on_granted(attempt.is_some()), attempt }
                    }
                    Err(()) => Process::Claiming(state.record.clone()),
                },
            },
            Process::Holding { fence, next: Next::Look, .. } => {
                let outcome = if state.captured > 0 { Known::Completed } else { Known::NotReceived };
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
                    Process::Holding { fence, next: on_sent(Known::NotSent), attempt: Some(attempt) }
                }
            }
            Process::Waiting { fence, attempt } => match state.attempts[attempt].request {
                Request::Executed => {
                    after.attempts[attempt].open = false;
                    Process::Holding { fence, next: on_sent(Known::Completed), attempt: Some(attempt) }
                }
                _ => return None,
            },
            Process::Holding { fence, next: Next::Settle, attempt } => {
                let outcome = self.resolve(state, attempt?)?;
                Process::Holding { fence, next: on_known(outcome), attempt }
            }
            Process::Holding { fence, next: Next::Complete, .. } => Process::Completing { expected: Some(fence) },
            Process::Completing { expected } => {
                let done = Content { result: Some(json!("completed")), ..Content::default() };
                match after.change(expected, true, LEASE, &done) {
                    Ok(_) => Process::Told,
                    Err(()) => match on_complete(state.record.as_ref()) {
                        OnComplete::Done(_) => Process::Told,
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
        let processes = [Process::Away, Process::Away];
        let (attempts, troubles) = (Vec::new(), self.troubles);
        vec![State { record: None, fence: 0, processes, attempts, captured: 0, troubles, lost_data: false }]
    }

    fn actions(&self, state: &State, steps: &mut Vec<Step>) {
        let trouble = state.troubles > 0;
        for (who, process) in state.processes.iter().enumerate() {
            steps.push(Step::Go(who));
            let is_at_work = !matches!(process, Process::Away | Process::Told);
            if trouble && is_at_work {
                steps.push(Step::Crash(who));
            }
            if let Process::Waiting { attempt, .. } = process {
                // A request that is lost ends in nothing else.
                if trouble || state.attempts[*attempt].request == Request::Lost {
                    steps.push(Step::TimeOut(who));
                }
            }
            if trouble && matches!(process, Process::Holding { next: Next::Settle, .. }) {
                steps.push(Step::Leave(who));
            }
        }
        if state.record.as_ref().is_some_and(|record| !record.done && !record.remaining.is_zero())
            && (trouble || !state.is_held())
        {
            steps.push(Step::LeaseEnds);
        }
        for (number, attempt) in state.attempts.iter().enumerate() {
            let is_to_be_sent = state
                .processes
                .iter()
                .any(|process| matches!(process, Process::Sending { attempt, .. } if *attempt == number));
            if attempt.open && (trouble || !is_to_be_sent) {
                steps.push(Step::UntilPasses(number));
            }
            if attempt.request == Request::OnTheWay {
                steps.push(Step::Deliver(number));
                if trouble {
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
                state.troubles -= 1;
            }
            Step::TimeOut(who) => {
                let Process::Waiting { fence, attempt } = before.processes[who] else { return None };
                state.troubles -= u8::from(before.attempts[attempt].request != Request::Lost);
                // The call is over: nothing more of it leaves.
                state.attempts[attempt].open = false;
                let next = on_sent(Known::Unknown);
                state.processes[who] = Process::Holding { fence, next, attempt: Some(attempt) };
            }
            Step::Leave(who) => {
                let Process::Holding { fence, attempt, .. } = before.processes[who] else { return None };
                assert_eq!(on_known(Known::Unknown), Next::Leave);
                let content = attempt.map(Self::note).unwrap_or_else(|| before.content());
                // `release`, which does nothing where another holds it.
                let _ = state.change(Some(fence), false, Duration::ZERO, &content);
                state.processes[who] = Process::Away;
                state.troubles -= 1;
            }
            Step::LeaseEnds => {
                state.troubles -= u8::from(before.is_held());
                state.record.as_mut()?.remaining = Duration::ZERO;
            }
            Step::UntilPasses(attempt) => {
                let is_to_be_sent = before
                    .processes
                    .iter()
                    .any(|process| matches!(process, Process::Sending { attempt: its, .. } if *its == attempt));
                state.troubles -= u8::from(is_to_be_sent);
                state.attempts[attempt].open = false;
            }
            Step::Deliver(attempt) => {
                state.attempts[attempt].request = Request::Executed;
                state.captured += 1;
            }
            Step::Lose(attempt) => {
                state.attempts[attempt].request = Request::Lost;
                state.troubles -= 1;
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

/// From every state that can be reached, the good end can be. Gives how many states there are.
fn none_is_stranded(model: &Protocol) -> usize {
    let mut numbers: HashMap<State, usize> = HashMap::new();
    let mut before: Vec<Vec<usize>> = Vec::new();
    let mut good = VecDeque::new();
    let mut queue: VecDeque<State> = model.init_states().into();
    for state in &queue {
        numbers.insert(state.clone(), numbers.len());
        before.push(Vec::new());
    }
    while let Some(state) = queue.pop_front() {
        let number = numbers[&state];
        if state.is_good_end() {
            good.push_back(number);
        }
        for next in model.next_states(&state) {
            let count = numbers.len();
            let its = *numbers.entry(next.clone()).or_insert(count);
            if its == count {
                before.push(Vec::new());
                queue.push_back(next);
            }
            before[its].push(number);
        }
    }
    let mut ends_well = vec![false; before.len()];
    while let Some(number) = good.pop_front() {
        if !std::mem::replace(&mut ends_well[number], true) {
            good.extend(&before[number]);
        }
    }
    let stranded = numbers.iter().find(|(_, number)| !ends_well[**number]);
    assert!(stranded.is_none(), "no way from here to the end: {:#?}", stranded.map(|(state, _)| state));
    ends_well.len()
}

#[test]
fn two_processes_capture_once_and_strand_nothing_whatever_goes_wrong() {
    let model = || Protocol { broken: Broken::Nothing, troubles: 4 };
    let checker = model().checker().threads(2).spawn_bfs().join();
    checker.assert_properties();
    let states = none_is_stranded(&model());
    println!("{} states, all of them with a way to the end", states);
    assert_eq!(states, checker.unique_state_count());
    assert!(states > 10_000, "{states}");
}

#[test]
fn each_rule_is_needed() {
    for (broken, troubles) in [
        (Broken::NoteAfterSend, 2),
        (Broken::NoteWithoutFence, 3),
        (Broken::SendAfterUntil, 4),
        (Broken::NoSettling, 2),
        (Broken::StoreLosesData, 2),
        (Broken::LaterThanSettled, 2),
    ] {
        let model = Protocol { broken, troubles };
        let checker = model.checker().finish_when(HasDiscoveries::AnyFailures).spawn_bfs().join();
        let found = checker.discovery("captured once at most");
        let path = found.unwrap_or_else(|| panic!("{broken:?} is not noticed"));
        println!("{broken:?}: a double after {:?}", path.into_actions());
    }
}
