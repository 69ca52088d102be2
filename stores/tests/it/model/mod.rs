//! The protocol of claim, look, note, send, settle, complete and recover, checked exhaustively: two processes that
//! capture, one that recovers, a store and a service that knows no references, with crashes at every step, late and lost
//! requests, lost responses and leases that end while their holder lives. No capture is made twice and none is stranded.
//!
//! Which step follows is decided by the crate's own functions, those of `dintero::store::protocol`. What a holder does at
//! a step stands in `steps`, as `calls::Once` and `Client::recover` do it. Each rule is then broken on purpose, and the
//! checker finds the double.

mod state;
mod steps;

use std::collections::hash_map::Entry;
use std::collections::{HashMap, VecDeque};

use state::State;
use stateright::{Checker, HasDiscoveries, Model};
use steps::{Broken, Protocol};

/// From every state that can be reached, the good end can be. Gives how many states there are.
fn none_is_stranded(model: &Protocol) -> usize {
    let mut numbers: HashMap<State, usize> = HashMap::new();
    let mut before: Vec<Vec<usize>> = Vec::new();
    let mut good = VecDeque::new();
    let mut queue = VecDeque::new();
    for state in model.init_states() {
        queue.push_back((before.len(), state.clone()));
        numbers.insert(state, before.len());
        before.push(Vec::new());
    }
    while let Some((number, state)) = queue.pop_front() {
        if state.is_good_end() {
            good.push_back(number);
        }
        for next in model.next_states(&state) {
            let its = match numbers.entry(next) {
                Entry::Occupied(known) => *known.get(),
                Entry::Vacant(new) => {
                    queue.push_back((before.len(), new.key().clone()));
                    before.push(Vec::new());
                    *new.insert(before.len() - 1)
                }
            };
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

/// Checks all states, and that each has a way to the end.
fn check(faults: u8, recovers: bool) {
    let model = || Protocol { broken: Broken::Nothing, faults, recovers };
    // On a thread of its own, while the ways to the end are looked for on this one.
    let checker = model().checker().spawn_bfs();
    let states = none_is_stranded(&model());
    let checker = checker.join();
    checker.assert_properties();
    println!("{states} states, all of them with a way to the end");
    assert_eq!(states, checker.unique_state_count());
    assert!(states > 10_000, "{states}");
}

#[test]
fn two_processes_capture_once_and_strand_nothing_whatever_goes_wrong() {
    check(4, false);
}

#[test]
fn so_they_do_while_a_third_recovers() {
    check(3, true);
}

#[test]
fn each_rule_is_needed() {
    for (broken, faults) in [
        (Broken::NoteAfterSend, 2),
        (Broken::NoteWithoutFence, 3),
        (Broken::SendAfterUntil, 4),
        (Broken::NoSettling, 2),
        (Broken::StoreLosesData, 2),
        (Broken::LaterThanSettled, 2),
        (Broken::RecoverForgets, 2),
    ] {
        let model = Protocol { broken, faults, recovers: broken == Broken::RecoverForgets };
        let checker = model.checker().finish_when(HasDiscoveries::AnyFailures).spawn_bfs().join();
        let found = checker.discovery("captured once at most");
        let path = found.unwrap_or_else(|| panic!("{broken:?} is not noticed"));
        println!("{broken:?}: a double after {:?}", path.into_actions());
    }
}
