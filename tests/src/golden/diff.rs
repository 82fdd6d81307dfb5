//! What differs between two texts, line by line.

use std::fmt::Write as _;

/// The lines that only one of the texts has, `-` before those of the first and `+` before those of the second, with the
/// line before each group of them. Empty when the texts are alike.
#[must_use]
pub fn differences(old: &str, new: &str) -> String {
    let (old, new): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
    // Length of the longest common subsequence of what follows each pair of places.
    let mut common = vec![vec![0_usize; new.len() + 1]; old.len() + 1];
    for i in (0..old.len()).rev() {
        for j in (0..new.len()).rev() {
            common[i][j] = if old[i] == new[j] {
                common[i + 1][j + 1] + 1
            } else {
                common[i + 1][j].max(common[i][j + 1])
            };
        }
    }
    let (mut i, mut j, mut out, mut last) = (0, 0, String::new(), None);
    while i < old.len() || j < new.len() {
        if i < old.len() && j < new.len() && old[i] == new[j] {
            last = Some((i + 1, old[i]));
            (i, j) = (i + 1, j + 1);
            continue;
        }
        if let Some((number, line)) = last.take() {
            writeln!(out, "{number:>5}   {line}").unwrap();
        }
        if j == new.len() || (i < old.len() && common[i + 1][j] >= common[i][j + 1]) {
            writeln!(out, "      - {}", old[i]).unwrap();
            i += 1;
        } else {
            writeln!(out, "      + {}", new[j]).unwrap();
            j += 1;
        }
    }
    out
}
