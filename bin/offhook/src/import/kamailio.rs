//! The `subscriber` table of Kamailio, and of OpenSIPS.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use super::draft::{Account, Draft, Kind};
use super::table::{Row, Table};

/// Reads a table into a draft.
pub(super) fn read(path: &Path, draft: &mut Draft) -> io::Result<()> {
    let table = Table::read(path, "subscriber")?;
    let name = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into());
    for (place, what) in &table.faults {
        draft.remark(Kind::NotTaken, place, what.as_str());
    }
    let mut domains: BTreeMap<&str, (usize, &str)> = BTreeMap::new();
    for row in &table.rows {
        if let Some(domain) = table.get(row, "domain") {
            domains.entry(domain).or_insert((0, &row.place)).0 += 1;
        }
    }
    let mut by_size: Vec<_> = domains.into_iter().collect();
    by_size.sort_by_key(|(domain, (count, _))| (std::cmp::Reverse(*count), *domain));
    by_size.iter().for_each(|(domain, (_, place))| draft.domain(place, domain));
    // Digests are of a realm, which for Kamailio is the domain: that of the most users is ours.
    let realm = by_size.first().map(|(domain, _)| *domain).filter(|realm| draft.take_realm(realm));
    if by_size.len() > 1 {
        let what = "several domains: here they are names of one house, and a user of one is a user of all; where two have users of the same name, the first is taken";
        draft.remark(Kind::Look, &name, what);
    }
    if realm.is_none() {
        let what = "no row has a domain: say with --domain by which phones call the server; digests cannot be taken over, for they are of a realm";
        draft.remark(Kind::Look, &name, what);
    }
    for row in &table.rows {
        subscriber(&table, row, realm, draft);
    }
    let known = KNOWN.iter().chain(IDLE);
    for column in table.columns.iter().filter(|column| !known.clone().any(|it| it == column)) {
        if table.rows.iter().any(|row| table.get(row, column).is_some()) {
            let what = format!("column {column}: there is nothing like it here");
            draft.remark(Kind::NotTaken, &name, what);
        }
    }
    if draft.accounts() == 0 {
        draft.remark(Kind::Look, &name, "no account was taken over");
    }
    Ok(())
}

fn subscriber(table: &Table, row: &Row, realm: Option<&str>, draft: &mut Draft) {
    let Some(user) = table.get(row, "username") else {
        return draft.remark(Kind::NotTaken, &row.place, "a row without a username");
    };
    let password = table.get(row, "password").map(str::to_owned);
    let domain = table.get(row, "domain");
    let digests = DIGESTS
        .iter()
        .filter_map(|(column, key)| table.get(row, column).map(|digest| (*key, digest.to_owned())));
    let mut account = Account { number: user.to_owned(), password, ..Account::default() };
    if account.password.is_none() {
        account.ha1 = digests.collect();
        let why = if !account.ha1.is_empty() && domain != realm {
            "its digest is of another domain than that of the most users: give it a new password"
        } else if account.ha1.is_empty() && table.get(row, "ha1b").is_some() {
            "it has only ha1b, a digest for phones that call themselves user@domain: give it a new password"
        } else if account.ha1.is_empty() {
            "it has neither a password nor a digest"
        } else {
            return draft.account(&row.place, &account);
        };
        return draft.remark(Kind::NotTaken, &row.place, format!("subscriber `{user}`: {why}"));
    }
    draft.account(&row.place, &account);
}

/// Columns of digests, and what they are called here.
const DIGESTS: &[(&str, &str)] =
    &[("ha1", "md5"), ("ha1_sha256", "sha256"), ("ha1_sha512t256", "sha512_256")];

/// Columns that mean something here.
const KNOWN: &[&str] =
    &["username", "domain", "password", "ha1", "ha1_sha256", "ha1_sha512t256", "ha1b"];

/// Columns that need not.
const IDLE: &[&str] = &["id", "datetime_created", "datetime_modified"];
