//! People: what happened to the pods of each user and of each group.

use super::{
    Context, none,
    table::{Cell, table},
};
use crate::{
    html::Html,
    model::{Account, AmountTime},
    units,
};

/// The figures of an account, as columns.
const ACCOUNT: [(&str, bool); 7] = [
    ("Pods", true),
    ("Evicted", true),
    ("Refused", true),
    ("Pod wait p50 / p95 / max", true),
    ("Used", true),
    ("Borrowed", true),
    ("Cost", true),
];

/// Writes the users, then the groups.
pub(super) fn people(html: &mut Html, context: &Context<'_>) {
    let people = &context.report.people;
    if people.users.is_empty() && people.groups.is_empty() {
        return none(html, "No user is declared, and nobody submits as one.");
    }
    if !people.users.is_empty() {
        let headings = with_account([("User", false), ("Role", false), ("Groups", false)]);
        let cells = people.users.iter().map(|user| {
            let who = vec![
                Cell::Story("user", &user.name),
                Cell::some(!user.role.is_empty(), || user.role.clone()),
                Cell::some(!user.groups.is_empty(), || user.groups.join(", ")),
            ];
            and_account(who, context, &user.account)
        });
        table(html, context, "Users", &headings, people.users.len(), cells);
    }
    if !people.groups.is_empty() {
        html.leaf("h4", &[], "Groups");
        let headings = with_account([("Group", false), ("Quota", false), ("Members", false)]);
        let cells = people.groups.iter().map(|group| {
            let who = vec![
                Cell::Name(&group.name),
                Cell::Team(group.quota),
                Cell::some(!group.members.is_empty(), || group.members.join(", ")),
            ];
            and_account(who, context, &group.account)
        });
        table(html, context, "Groups", &headings, people.groups.len(), cells);
    }
    if people.users.iter().any(|user| user.account.cost_milli > 0) {
        super::money::note(html, context);
    }
}

fn with_account(who: [(&'static str, bool); 3]) -> Vec<(&'static str, bool)> {
    who.into_iter().chain(ACCOUNT).collect()
}

fn and_account<'a>(mut row: Vec<Cell<'a>>, context: &Context<'_>, account: &Account) -> Vec<Cell<'a>> {
    let time = |rows: &[AmountTime]| {
        let used = rows.iter().find(|of| of.resource == context.main && of.unit_s > 0);
        used.map_or_else(|| Cell::text("·"), |of| Cell::text(context.units.amount_time(*of)))
    };
    let wait = || [account.wait.p50_ms, account.wait.p95_ms, account.wait.max_ms].map(units::span).join(" / ");
    row.extend([
        Cell::some(account.pods > 0, || units::count(account.pods)),
        Cell::some(account.evicted > 0, || units::count(account.evicted)),
        Cell::some(account.refused > 0, || units::count(account.refused)),
        Cell::some(account.wait.count > 0, wait),
        time(&account.used),
        time(&account.borrowed),
        Cell::some(account.cost_milli > 0, || context.units.money(account.cost_milli)),
    ]);
    row
}
