//! The exact documents of many orders at both ledger programs, in files that people read: `tests/golden`.

use std::collections::BTreeMap;

use bokbro_connectors::kit::Transport;
use bokbro_tests::golden::{bless, differences, files, readme, write_readme};
use futures::stream::{self, StreamExt as _};

/// How many cases there must be.
const FEWEST: usize = 44;
/// Worlds that live at the same time.
const AT_ONCE: usize = 4;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_documents_are_those_of_the_golden_files() {
    let (files, bless) = (files(), bless());
    assert!(files.len() >= FEWEST, "only {} golden files were found", files.len());
    let transport = Transport::new().unwrap();
    let played: Vec<_> =
        stream::iter(&files).map(|file| file.play(&transport)).buffered(AT_ONCE).collect().await;
    let (mut wrong, mut seen) = (String::new(), BTreeMap::new());
    for (file, played) in files.iter().zip(&played) {
        if bless {
            file.write(&played.text);
        } else if played.text != file.text {
            wrong += &format!("\n{}.json\n{}", file.name, differences(&file.text, &played.text));
        }
        if !played.documents.is_empty()
            && let Some(other) = seen.insert(played.documents.clone(), &file.name)
        {
            wrong += &format!("\n{} sends the same documents as {other}\n", file.name);
        }
    }
    let cases: Vec<(String, String)> =
        files.iter().zip(&played).map(|(file, played)| (file.name.clone(), played.about.clone())).collect();
    let (written, fresh) = readme(&cases);
    if bless {
        write_readme(&fresh);
    } else {
        wrong += &differences(&written, &fresh);
    }
    assert!(
        wrong.is_empty(),
        "What is sent is not what the golden files say. If it is right now, write them with BOKBRO_BLESS=1, and read \
         what `git diff` shows.\n{wrong}"
    );
}

#[test]
fn differences_are_shown_with_the_line_before_them() {
    let old = "{\n  \"a\": 1,\n  \"b\": 2,\n  \"c\": 3\n}\n";
    let new = "{\n  \"a\": 1,\n  \"b\": 2.00,\n  \"c\": 3,\n  \"d\": 4\n}\n";
    let shown = "    2     \"a\": 1,\n      -   \"b\": 2,\n      -   \"c\": 3\n      +   \"b\": 2.00,\n      +   \"c\": 3,\n      +   \"d\": 4\n";
    assert_eq!(differences(old, new), shown);
    assert_eq!(differences(old, old), "");
}
