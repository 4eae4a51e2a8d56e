//! The ledger for people.

use std::fmt;

use crate::ledger::{Ledger, Outcome};

/// How many faults are worth reading.
const SHOWN: usize = 10;

impl fmt::Display for Ledger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write_speed(f)?;
        self.write_messages(f)?;
        self.write_crashes(f)?;
        self.write_terminals(f)?;
        self.write_audit(f)?;
        self.write_verdict(f)
    }
}

impl Ledger {
    fn write_speed(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.took.as_secs_f64();
        let (messages, rate) = (number(self.messages), number((self.messages as f64 / seconds) as u64));
        let millis = |percent: usize| {
            let latencies = &self.totals.latencies;
            let index = latencies.len().saturating_sub(1) * percent / 100;
            latencies.get(index).map_or(0.0, |micros| f64::from(*micros) / 1000.0)
        };
        writeln!(
            f,
            "{messages} messages in {seconds:.1} s, {rate} a second; answered in {:.1} ms (half of them), {:.1} ms (99 of 100)\n",
            millis(50),
            millis(99)
        )
    }

    fn write_messages(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        row(f, "", ["fleet", "host"])?;
        for (outcome, counts) in &self.rows {
            row(f, outcome.text(), counts.map(number))?;
        }
        row(f, "counters skipped", self.skipped.map(number))?;
        row(f, "counters accepted, each once", self.accepted.map(number))?;
        row(f, "approved, and in the books", self.cents.map(money))
    }

    fn write_crashes(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let longest = self.away.iter().max().map_or(0.0, |away| away.as_secs_f64() * 1000.0);
        let crashes = self.away.len();
        if crashes == 0 {
            return Ok(());
        }
        writeln!(
            f,
            "\nThe host crashed {} and was away for {longest:.0} ms at most.",
            times(crashes as u64)
        )?;
        let again = |outcome| number(self.after_crash.get(&outcome).copied().unwrap_or(0));
        let fresh = self.after_crash.iter().filter(|(outcome, _)| outcome.is_accepted());
        let (fresh, all) = (fresh.map(|(_, count)| *count).sum(), self.after_crash.values().sum());
        writeln!(
            f,
            "  {} requests were in its hands ({} judged) and asked again: {} new to it, {} answered as before,\n  {} claimed and not \
             booked: declined",
            number(all),
            number(self.unanswered),
            number(fresh),
            again(Outcome::Repeated),
            again(Outcome::NotDone),
        )?;
        let asked = number(self.totals.asked_after_crash);
        writeln!(f, "  {asked} answers from before a crash were asked for again after it")
    }

    fn write_terminals(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let account = &self.totals;
        let [cuts, lost] = [account.power_cuts, account.lost].map(number);
        let [refused, in_use] = [account.copies_refused, account.copies_in_use].map(number);
        writeln!(f, "\n{} terminals", number(account.expectations.len() as u64))?;
        writeln!(f, "  {cuts} times the power failed while the state was written; {lost} requests got lost")?;
        writeln!(
            f,
            "  an old copy of the state was put back: {refused} refused by the terminal's own counter, {in_use} in use where there is none"
        )
    }

    fn write_audit(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f)?;
        row(f, "names in the audit, by sign", ["fleet", "host"])?;
        for (sign, counts) in &self.signs {
            row(f, sign.summary(), counts.map(|count| number(count as u64)))?;
        }
        let (made, [showed, found]) = (self.totals.cloned.len(), self.clones);
        let example = if self.audit.is_empty() { "" } else { ", such as" };
        writeln!(f, "{made} clones, of which {showed} gave themselves away and {found} were found{example}")?;
        self.audit.iter().try_for_each(|finding| writeln!(f, "  {}", finding.replace('\n', "\n  ")))
    }

    fn write_verdict(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.faults.is_empty() {
            return writeln!(
                f,
                "\nEvery message was judged as the fleet expected, one by one. No counter was accepted twice."
            );
        }
        writeln!(f, "\nFAILED: {} faults", number(self.faults.len() as u64))?;
        self.faults.iter().take(SHOWN).try_for_each(|fault| writeln!(f, "  {fault}"))
    }
}

fn row(f: &mut fmt::Formatter<'_>, what: &str, [fleet, host]: [impl fmt::Display; 2]) -> fmt::Result {
    writeln!(f, "{what:44}{fleet:>16}{host:>16}")
}

/// With commas between thousands.
fn number(number: u64) -> String {
    if number < 1000 {
        return number.to_string();
    }
    format!("{},{:03}", self::number(number / 1000), number % 1000)
}

fn money(cents: u64) -> String {
    format!("{}.{:02}", number(cents / 100), cents % 100)
}

fn times(count: u64) -> String {
    if count == 1 { "once".to_owned() } else { format!("{} times", number(count)) }
}
