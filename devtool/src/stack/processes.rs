//! What processes use, memory and processor time, as Linux tells it.

use std::fs;
use std::time::Duration;

use anyhow::{Context, Result};

/// One process of a group.
pub(crate) struct Process {
    /// Its number.
    pub(crate) pid: u32,
    /// The function that it runs, as Lambda names it; none for a process that is no function.
    pub(crate) function: Option<String>,
    /// Memory that it occupies, in KiB.
    pub(crate) resident: u64,
    /// Processor time of all its threads since its start, those that have ended too.
    pub(crate) processor: Duration,
}

/// The processes of a group that live now.
///
/// # Errors
/// When the system does not tell.
pub(crate) fn of_group(group: u32) -> Result<Vec<Process>> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").context("the system does not tell its processes")? {
        let Some(pid) = entry?.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        // One that ends meanwhile is none any more.
        let Ok(stat) = fs::read_to_string(format!("/proc/{pid}/stat")) else { continue };
        let Some((its_group, processor)) = read_stat(&stat) else { continue };
        if its_group == group
            && let Ok(resident) = resident(pid)
        {
            found.push(Process { pid, function: function(pid), resident, processor });
        }
    }
    Ok(found)
}

/// Memory that a process occupies, in KiB.
///
/// # Errors
/// When it is gone.
pub(crate) fn resident(pid: u32) -> Result<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let number = line.and_then(|line| line.split_whitespace().next());
    number.and_then(|number| number.parse().ok()).context("the system does not tell its memory")
}

/// Processor time of a process since its start.
///
/// # Errors
/// When it is gone.
pub(crate) fn processor(pid: u32) -> Result<Duration> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    Ok(read_stat(&stat).context("the system does not tell its time")?.1)
}

/// Group and processor time in a line of `/proc/<pid>/stat`.
fn read_stat(stat: &str) -> Option<(u32, Duration)> {
    // The program's name stands in parentheses and may have anything in it.
    let fields: Vec<&str> = stat.rsplit_once(") ")?.1.split(' ').collect();
    let field = |number: usize| fields.get(number)?.parse::<u64>().ok();
    let group = u32::try_from(field(2)?).ok()?;
    // Told in hundredths of a second on every Linux, whatever the kernel counts in.
    let ticks = field(11)? + field(12)?;
    Some((group, Duration::from_millis(ticks * 10)))
}

fn function(pid: u32) -> Option<String> {
    let environment = fs::read(format!("/proc/{pid}/environ")).ok()?;
    let mut variables = environment.split(|byte| *byte == 0);
    let name = variables.find_map(|variable| variable.strip_prefix(b"AWS_LAMBDA_FUNCTION_NAME="))?;
    Some(String::from_utf8_lossy(name).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_stat_is_read_whatever_the_program_is_called() {
        let stat = "4711 (a ) b) S 1 4242 4242 0 -1 4194560 9 0 0 0 250 50 0 0 20 0 4 0 1 1 1";
        assert_eq!(read_stat(stat), Some((4242, Duration::from_secs(3))));
        assert_eq!(read_stat("4711"), None);
    }

    #[test]
    fn this_process_is_one_of_its_group() {
        let own = std::process::id();
        let stat = fs::read_to_string(format!("/proc/{own}/stat")).unwrap();
        let group = of_group(read_stat(&stat).unwrap().0).unwrap();
        let this = group.iter().find(|process| process.pid == own).unwrap();
        assert!(this.resident > 0 && this.function.is_none());
    }
}
