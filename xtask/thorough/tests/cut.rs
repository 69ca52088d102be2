//! Documents that break off, at every place where one can.

#[path = "../../tests/regen/yaml.rs"]
mod yaml;

use xtask::regen::Spec;
use xtask::{slice, source};
use yaml::{COMPONENTS_LAST, PATHS_LAST, yaml};

/// Proves that no cut of a document passes as a removal: it is refused, or it took away nothing that we bind.
#[test]
fn a_document_that_is_cut_off_never_passes_as_removals() {
    let dir = tempfile::tempdir().expect("there is a place for temporary files");
    let path = dir.path().join("cut.yaml");
    let old = Spec::here().slice().expect("the slice is pinned");
    let whole = slice::slice(&old).expect("a slice is a document");
    for order in [COMPONENTS_LAST, PATHS_LAST] {
        let text = yaml(&old, order);
        assert_eq!(slice::slice(&source::parse(text.as_bytes()).expect("nothing is cut off")).expect("whole"), whole);
        let ends: Vec<usize> = text.match_indices('\n').map(|(at, _)| at + 1).collect();
        // Between two lines in the whole of the text, and also within its last lines, where less is left to notice.
        let between = ends.iter().rev().skip(1).step_by(ends.len() / 40).copied();
        let tail = (ends[ends.len() - 5]..text.len() - 1).step_by(2);
        let mut refused = 0;
        for end in between.chain(tail) {
            std::fs::write(&path, &text[..end]).expect("the folder takes files");
            let outcome = source::load(&path.to_string_lossy())
                .and_then(|source| source.check_against(&old, false).map(|()| source))
                .and_then(|source| slice::slice(&source.document));
            match outcome {
                Ok(cut) => assert_eq!(cut, whole, "cut after {end} bytes: {:?}", &text[end - 40..end]),
                Err(_) => refused += 1,
            }
        }
        assert!(refused > 40, "{refused} refused");
    }
}
