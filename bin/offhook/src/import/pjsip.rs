//! Asterisk's `pjsip.conf`: what its sections mean here.

mod option;
mod transport;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::Path;

use super::asterisk::{self, Opt, Section, by_name};
use super::draft::{Account, Draft, Kind, quoted};
use option::{Idle, Meaning, meaning};

/// The sections by their kinds.
struct House<'a> {
    auths: BTreeMap<&'a str, &'a Section>,
    aors: BTreeMap<&'a str, &'a Section>,
    identifies: Vec<&'a Section>,
    /// The realm of Asterisk, when nothing else is said.
    realm: String,
}

/// Reads a file into a draft.
pub(super) fn read(path: &Path, draft: &mut Draft) -> io::Result<()> {
    let sections = asterisk::read(path, draft)?;
    let of_kind = |kind: &'static str| sections.iter().filter(move |it| it.kind() == kind);
    let realm = of_kind("global").find_map(|global| global.get("default_realm"));
    let house = House {
        auths: by_name(&sections, "auth"),
        aors: by_name(&sections, "aor"),
        identifies: of_kind("identify").collect(),
        realm: realm.map_or("asterisk", |realm| &realm.value).to_owned(),
    };
    of_kind("transport").for_each(|section| transport::take(section, draft));
    for alias in of_kind("domain_alias") {
        draft.domain(&alias.place, &alias.name);
        if let Some(domain) = alias.get("domain") {
            draft.domain(&domain.place, &domain.value);
        }
    }
    house.registrar(draft);
    of_kind("endpoint").for_each(|endpoint| house.endpoint(endpoint, draft));
    house.unused(&sections, draft);
    house.addresses(&sections, draft);
    options(&sections, draft);
    if !draft.has_domain() {
        let what = "pjsip.conf does not say by which names or addresses phones call the server: say it with --domain";
        draft.remark(Kind::Look, &name_of(path), what);
    }
    Ok(())
}

fn name_of(path: &Path) -> String {
    path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into())
}

impl House<'_> {
    /// A phone, or a trunk: that has no password which it could be asked for.
    fn endpoint(&self, endpoint: &Section, draft: &mut Draft) {
        let mut account = Account { number: endpoint.name.clone(), ..Account::default() };
        let auths: Vec<_> = endpoint.all("auth").collect();
        let Some((auth, at)) = auths.first().copied() else {
            return self.trunk(endpoint, draft);
        };
        if auths.len() > 1 {
            draft.remark(
                Kind::NotTaken,
                &at.place,
                format!("[{}]: all auths but the first", endpoint.name),
            );
        }
        let Some(auth) = self.auths.get(auth) else {
            let what = format!("endpoint [{}]: there is no auth [{auth}]", endpoint.name);
            return draft.remark(Kind::NotTaken, &at.place, what);
        };
        self.credential(&mut account, auth, draft);
        if let Some(id) = endpoint.get("callerid") {
            account.name = shown_name(&id.value);
            if let Some(number) = shown_number(&id.value).filter(|number| *number != endpoint.name)
            {
                let what = format!(
                    "[{}] callerid: {number}; here who calls is shown by its own number, and its name",
                    endpoint.name
                );
                draft.remark(Kind::NotTaken, &id.place, what);
            }
        }
        for (aor, at) in endpoint.all("aors") {
            if aor != endpoint.name {
                let what = format!(
                    "endpoint [{}]: phones register as `{aor}` there, and as `{}` here",
                    endpoint.name, endpoint.name
                );
                draft.remark(Kind::Look, &at.place, what);
            }
            let Some(aor) = self.aors.get(aor) else { continue };
            account.contacts.extend(aor.all("contact").map(|(contact, _)| contact.to_owned()));
        }
        if account.password.is_some() || !account.ha1.is_empty() {
            draft.account(&endpoint.place, &account);
        }
    }

    /// What it proves itself with.
    fn credential(&self, account: &mut Account, auth: &Section, draft: &mut Draft) {
        let user = auth.get("username").map_or("", |user| &user.value);
        let realm = auth.get("realm").map_or(&*self.realm, |realm| &realm.value);
        if user != account.number && !user.is_empty() {
            let what = format!(
                "[{}]: its phone must call itself `{}` when it is asked who it is, not `{user}`",
                auth.name, account.number
            );
            draft.remark(Kind::Look, &auth.place, what);
        }
        if let Some(password) = auth.get("password").filter(|password| !password.value.is_empty()) {
            account.password = Some(password.value.clone());
            return;
        }
        let md5 = auth.get("md5_cred").map(|digest| ("md5", &*digest.value));
        let listed = auth.options.iter().filter(|option| option.key == "password_digest");
        let listed = listed.filter_map(|option| {
            let (algorithm, digest) = option.value.split_once(':')?;
            let known = |(name, _): &&(&str, &str)| name.eq_ignore_ascii_case(algorithm);
            DIGESTS.iter().find(known).map(|(_, key)| (*key, digest))
        });
        let digests: Vec<_> =
            md5.into_iter().chain(listed).filter(|(_, it)| !it.is_empty()).collect();
        let why = if digests.is_empty() {
            "it has neither a password nor a digest that is known here".to_owned()
        } else if user != account.number {
            format!("its digest is of the name `{user}`; give `{}` a new password", account.number)
        } else if draft.realm().is_some_and(|taken| taken != realm) {
            format!(
                "its digest is of the realm `{realm}`, and there is one realm here; give it a new password"
            )
        } else {
            account.ha1 =
                digests.into_iter().map(|(key, digest)| (key, digest.to_owned())).collect();
            if draft.take_realm(realm) {
                return;
            }
            account.ha1.clear();
            format!(
                "its digest is of the realm `{realm}`, which cannot be one here; give it a new password"
            )
        };
        draft.remark(Kind::NotTaken, &auth.place, format!("[{}]: {why}", auth.name));
    }

    /// A trunk: where its calls go is for the dial plan to say, so a route can only be proposed.
    fn trunk(&self, endpoint: &Section, draft: &mut Draft) {
        let contacts = endpoint.all("aors").filter_map(|(aor, _)| self.aors.get(aor));
        let hops: Vec<_> = contacts
            .flat_map(|aor| aor.all("contact").map(|(contact, _)| contact.to_owned()))
            .collect();
        let of_it = self
            .identifies
            .iter()
            .filter(|it| it.get("endpoint").is_some_and(|named| named.value == endpoint.name));
        let networks: Vec<_> = of_it
            .flat_map(|identify| identify.all("match").map(|(network, _)| network.to_owned()))
            .collect();
        let name = quoted(&endpoint.name);
        if !hops.is_empty() {
            let to = super::draft::list(&hops);
            draft
                .proposals
                .push(format!("[[route]]\nname = {name}\nmatch = {{ prefix = \"+\" }}\nto = {to}"));
        }
        if !networks.is_empty() {
            let networks = super::draft::list(&networks);
            draft.proposals.push(format!(
                "[[route]]\nname = {name}\nmatch = {{ network = {networks} }}\nchallenge = false\nto = \"sip:…\"   # where its calls go"
            ));
        }
        let what = format!(
            "endpoint [{}] has no auth, so it is a trunk: see the routes that are proposed at the end of the config",
            endpoint.name
        );
        draft.remark(Kind::NotTaken, &endpoint.place, what);
        for (auth, at) in endpoint.all("outbound_auth") {
            let what = format!(
                "[{}]: outbound_auth = {auth}: the server answers no challenges of others; let the carrier trust its address",
                endpoint.name
            );
            draft.remark(Kind::NotTaken, &at.place, what);
        }
    }

    /// What all aors say is said once here.
    fn registrar(&self, draft: &mut Draft) {
        let numbers = |key: &str| -> BTreeSet<u64> {
            self.aors.values().filter_map(|aor| aor.get(key)?.value.parse().ok()).collect()
        };
        let place = |keys: &[&str]| {
            let options =
                self.aors.values().flat_map(|aor| keys.iter().filter_map(|key| aor.get(key)));
            let first = options.into_iter().next();
            first.map_or_else(String::new, |option| option.place.clone())
        };
        let mut line = |keys: &[&str], line: String| {
            draft.change(&place(keys), &keys.join(", "), |house| house.registrar.push(line));
        };
        if let Some(most) = numbers("max_contacts").last().copied().filter(|most| *most > 0) {
            let most = most.min(crate::limits::CONTACTS);
            line(&["max_contacts"], format!("max_contacts = {most}"));
        }
        let removes = |aor: &&&Section| option::is_yes(aor.get("remove_existing"));
        if self.aors.values().any(|aor| removes(&aor)) {
            line(&["remove_existing"], "when_full = \"oldest\"".into());
        }
        let keys = ["minimum_expiration", "default_expiration", "maximum_expiration"];
        let bounds = keys.map(numbers);
        if bounds.iter().any(|numbers| !numbers.is_empty()) {
            let [min, default, max] = bounds;
            // 0 is "as short as you like" there.
            let min = min.first().copied().unwrap_or(60).max(1);
            let default = default.last().copied().unwrap_or(3600).max(min);
            let max = max.last().copied().unwrap_or(7200).max(default);
            line(&keys, format!("expires = {{ min = {min}, default = {default}, max = {max} }}"));
        }
        for key in
            ["max_contacts", "minimum_expiration", "default_expiration", "maximum_expiration"]
        {
            let mut aors = self.aors.values().filter_map(|aor| Some((aor, aor.get(key)?)));
            if numbers(key).len() > 1
                && let Some((aor, at)) = aors.next_back()
            {
                let what = format!(
                    "[{}]: aors differ in {key}; here one value is for all of them",
                    aor.name
                );
                draft.remark(Kind::Look, &at.place, what);
            }
        }
    }

    /// Addresses from which somebody may call without a password, where that is not a trunk whose route is proposed.
    fn addresses(&self, sections: &[Section], draft: &mut Draft) {
        for identify in &self.identifies {
            let named = identify.get("endpoint").map_or("", |named| &named.value);
            let mut endpoints = sections.iter().filter(|section| section.kind() == "endpoint");
            let why = match endpoints.find(|endpoint| endpoint.name == named) {
                None => format!("there is no endpoint [{named}]"),
                Some(endpoint) if endpoint.all("auth").next().is_some() => format!(
                    "endpoint [{named}] has an auth, and is asked for its password wherever it calls from; a [[route]] with `network` and `challenge = false` lets an address in without one"
                ),
                Some(_) => continue,
            };
            let what = format!("identify [{}]: {why}", identify.name);
            draft.remark(Kind::NotTaken, &identify.place, what);
        }
    }

    /// Sections that nothing was made of.
    fn unused(&self, sections: &[Section], draft: &mut Draft) {
        let endpoints = || sections.iter().filter(|section| section.kind() == "endpoint");
        let used: BTreeSet<_> = endpoints()
            .flat_map(|endpoint| {
                endpoint
                    .all("auth")
                    .chain(endpoint.all("aors"))
                    .chain(endpoint.all("outbound_auth"))
            })
            .map(|(name, _)| name)
            .collect();
        for section in sections {
            let kind = section.kind();
            let why = match kind {
                "endpoint" | "transport" | "domain_alias" | "identify" | "global" => continue,
                "auth" | "aor" if used.contains(&*section.name) => continue,
                "auth" | "aor" => "no endpoint uses it",
                "" => "it has no type",
                "registration" => {
                    "the server does not register at carriers; let the carrier send calls to its address"
                }
                "system" => "threads and timers are set otherwise here, and need not be",
                "acl" => "addresses are not filtered here; a firewall does that",
                _ => "there is nothing like it here",
            };
            draft.remark(
                Kind::NotTaken,
                &section.place,
                format!("{kind} [{}]: {why}", section.name),
            );
        }
    }
}

/// What is said of options: each that is not taken over by itself, those that are not needed together.
fn options(sections: &[Section], draft: &mut Draft) {
    let mut idle: BTreeMap<&str, (usize, &Opt, Idle)> = BTreeMap::new();
    let known = ["endpoint", "auth", "aor", "global", "transport", "identify", "domain_alias"];
    let mut seen = BTreeSet::new();
    for section in sections.iter().filter(|section| known.contains(&section.kind())) {
        // What a template says is said once.
        for option in section.options.iter().filter(|option| seen.insert(&option.place)) {
            match meaning(section.kind(), option) {
                Meaning::Taken => {}
                Meaning::Lost(why) => {
                    let what = format!("[{}] {}: {why}", section.name, option.key);
                    draft.remark(Kind::NotTaken, &option.place, what);
                }
                Meaning::Idle(why) => {
                    idle.entry(&option.key).or_insert((0, option, why)).0 += 1;
                }
            }
        }
    }
    for (key, (count, first, why)) in idle {
        let lines =
            if count == 1 { String::new() } else { format!(" ({count} lines, the first here)") };
        draft.remark(Kind::NotNeeded, &first.place, format!("{key}{lines}: {}", why.0));
    }
}

/// `"Front desk" <101>`, `Front desk <101>`
fn shown_name(caller: &str) -> Option<String> {
    let name = caller.split_once('<').map_or(caller, |(name, _)| name);
    let name = name.trim().trim_matches('"').trim();
    (!name.is_empty() && !name.chars().all(|c| c.is_ascii_digit())).then(|| name.to_owned())
}

/// The number of a caller ID, where it names one.
fn shown_number(caller: &str) -> Option<&str> {
    let number = match caller.split_once('<') {
        Some((_, rest)) => rest.split_once('>').map_or(rest, |(number, _)| number).trim(),
        None => caller.trim().trim_matches('"'),
    };
    let digits = number.strip_prefix('+').unwrap_or(number);
    (!digits.is_empty() && digits.bytes().all(|c| c.is_ascii_digit())).then_some(number)
}

/// The names of digests in Asterisk, and here.
const DIGESTS: &[(&str, &str)] =
    &[("MD5", "md5"), ("SHA-256", "sha256"), ("SHA-512-256", "sha512_256")];
