//! The state machine of a transaction, step by step.

use super::*;

fn run(steps: &[Step]) -> Result<Ledger, Refusal> {
    steps.iter().try_fold(Ledger::new(), |ledger, step| ledger.after(*step, Rules::default()))
}

fn capture(amount: i64) -> Step {
    Step::Capture { amount, last: false }
}

#[test]
fn captures_and_refunds_walk_through_the_documented_statuses() {
    let cases: &[(&[Step], Status)] = &[
        (&[], Status::Initiated),
        (&[Step::Authorize(100)], Status::Authorized),
        (&[Step::Hold], Status::OnHold),
        (&[Step::Hold, Step::Authorize(100)], Status::Authorized),
        (&[Step::Hold, Step::Fail], Status::Failed),
        (&[Step::Decline], Status::Declined),
        (&[Step::CaptureAtOnce(100)], Status::Captured),
        (&[Step::Authorize(100), Step::Void], Status::AuthorizationVoided),
        (&[Step::Authorize(100), capture(40)], Status::PartiallyCaptured),
        (&[Step::Authorize(100), capture(40), capture(60)], Status::Captured),
        (&[Step::Authorize(100), capture(40), Step::Refund(40)], Status::PartiallyCapturedRefunded),
        (&[Step::Authorize(100), capture(100), Step::Refund(1)], Status::PartiallyRefunded),
        (&[Step::Authorize(100), capture(100), Step::Refund(1), Step::Refund(99)], Status::Refunded),
    ];
    for (steps, status) in cases {
        assert_eq!(run(steps).map(|ledger| ledger.status), Ok(*status), "{steps:?}");
    }
}

#[test]
fn a_final_capture_releases_the_rest() {
    let ledger = run(&[Step::Authorize(100), Step::Capture { amount: 40, last: true }]).unwrap();
    assert_eq!((ledger.status, ledger.left_to_capture()), (Status::Captured, 0));
    assert!(ledger.after(capture(1), Rules::default()).is_err());
    let refunded = ledger.after(Step::Refund(40), Rules::default()).unwrap();
    assert_eq!(refunded.status, Status::Refunded);
}

#[test]
fn more_than_is_left_is_refused_with_what_is_left() {
    let authorized = run(&[Step::Authorize(100), capture(40)]).unwrap();
    assert_eq!(
        authorized.after(capture(61), Rules::default()),
        Err(Refusal::TooMuch { action: "capture", amount: 61, available: 60 })
    );
    assert_eq!(
        authorized.after(Step::Refund(41), Rules::default()),
        Err(Refusal::TooMuch { action: "refund", amount: 41, available: 40 })
    );
    for amount in [0, -1, i64::MIN] {
        assert!(authorized.after(capture(amount), Rules::default()).is_err());
        assert!(authorized.after(Step::Refund(amount), Rules::default()).is_err());
    }
    assert!(authorized.after(capture(i64::MAX), Rules::default()).is_err());
}

#[test]
fn what_the_documents_leave_open_follows_the_rules_given() {
    let captured = run(&[Step::Authorize(100), capture(40)]).unwrap();
    let both = Rules { void_after_capture: true, capture_after_refund: true };
    assert!(captured.after(Step::Void, Rules::default()).is_err());
    assert_eq!(captured.after(Step::Void, both).unwrap().status, Status::Captured);
    let refunded = captured.after(Step::Refund(10), Rules::default()).unwrap();
    assert!(refunded.after(capture(60), Rules::default()).is_err());
    assert_eq!(refunded.after(capture(60), both).unwrap().status, Status::PartiallyRefunded);
}

#[test]
fn an_authorization_moves_but_never_below_what_was_captured() {
    let again = |amount| Step::Reauthorize { amount: Some(amount), last: true };
    let captured = run(&[Step::Authorize(100), capture(40)]).unwrap();
    assert_eq!(captured.after(again(39), Rules::default()), Err(Refusal::BelowCaptured { amount: 39, captured: 40 }));
    let raised = captured.after(again(150), Rules::default()).unwrap();
    assert_eq!(raised.left_to_capture(), 110);
    assert_eq!(raised.after(again(160), Rules::default()), Err(Refusal::AuthorizationFinal));
}

#[test]
fn nothing_leaves_a_closed_transaction() {
    let ends: &[&[Step]] = &[
        &[Step::Decline],
        &[Step::Hold, Step::Fail],
        &[Step::Authorize(100), Step::Void],
        &[Step::Authorize(100), capture(100), Step::Refund(100)],
    ];
    for end in ends {
        let ledger = run(end).unwrap();
        for step in [Step::Authorize(1), capture(1), Step::Refund(1), Step::Void, Step::Hold] {
            assert!(ledger.after(step, Rules::default()).is_err(), "{end:?} then {step:?}");
        }
    }
}
