//! Quotas that change from day to day, from a table `date,vc..,total`: the number of GPUs of each virtual cluster of
//! Helios on each day. Days without a change are left out, so the result is the first day and every later change.

use super::{MAX_MS, RowProblem, joblist::moment, table};
use jiff::civil::DateTime;
use quotree_core::Time;

/// The GPUs of the virtual clusters from a certain time on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DailyQuotas {
    /// The time from which they apply.
    pub from: Time,
    /// The GPUs by virtual cluster, in the order of the columns.
    pub gpus: Vec<(String, i64)>,
}

/// The largest number of GPUs in a cell; more are an error of its row.
const MOST_GPUS: i64 = 1_000_000;

/// Reads the quotas of each day. `start` becomes time 0; the quotas at time 0 are those of the last day before it.
#[must_use]
pub fn daily_quotas(bytes: &[u8], start: DateTime) -> (Vec<DailyQuotas>, Vec<RowProblem>) {
    let line = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let header = String::from_utf8_lossy(line).into_owned();
    let columns: Vec<&str> =
        header.split(',').map(str::trim).filter(|column| !matches!(*column, "date" | "total")).collect();
    let mut days: Vec<DailyQuotas> = Vec::new();
    let mut last: Option<DateTime> = None;
    let problems = table::each_row(bytes, 1_000_000, &["date"], |row| {
        let at = moment(row.cell("date"))?;
        if last.is_some_and(|last| at <= last) {
            return Err(format!("`{at}` is not later than the row before"));
        }
        let mut gpus = Vec::new();
        for column in &columns {
            let count = row.count(column)?;
            if count > MOST_GPUS {
                return Err(format!("{count} GPUs; expected at most {MOST_GPUS}"));
            }
            gpus.push(((*column).to_owned(), count));
        }
        last = Some(at);
        let ms = at.duration_since(start).as_millis();
        if ms <= 0 {
            days = vec![DailyQuotas { from: Time(0), gpus }];
            return Ok(());
        }
        let ms = u64::try_from(ms)
            .ok()
            .filter(|ms| *ms <= MAX_MS)
            .ok_or_else(|| format!("`{at}` is too far from the first row"))?;
        if days.last().is_none_or(|day| day.gpus != gpus) {
            // A moment before the first day gets the quotas of the first day.
            let from = if days.is_empty() { Time(0) } else { Time(ms) };
            days.push(DailyQuotas { from, gpus });
        }
        Ok(())
    });
    (days, problems)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_changes_come_out_counted_from_the_start() {
        let text = "date,a,b,total\n2020-04-01,8,8,16\n2020-04-02,8,16,24\n2020-04-03,8,16,24\n2020-04-04,x,0,0\n\
                    2020-04-04,9999999,0,0\n2020-04-05,0,16,16\n2020-04-05,1,1,2\n";
        let day = |from, a, b| DailyQuotas { from: Time(from), gpus: vec![("a".into(), a), ("b".into(), b)] };
        let (days, problems) = daily_quotas(text.as_bytes(), "2020-04-02T12:00:00".parse().unwrap());
        assert_eq!(days, [day(0, 8, 16), day(216_000_000, 0, 16)]);
        assert_eq!(problems.iter().map(|p| p.line).collect::<Vec<_>>(), [5, 6, 8]);
        let (days, _) = daily_quotas(text.as_bytes(), "2019-01-01T00:00:00".parse().unwrap());
        assert_eq!((days.len(), days[0].from), (3, Time(0)));
    }
}
