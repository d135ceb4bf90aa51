//! `[websocket]`: pages of which web sites may use the server.

use net::websocket::{Origins, Site};

use super::domains::Domain;
use super::fault::Faults;
use super::key::{Key, Section};
use super::table::Table;
use crate::limits;

/// What WebSockets are judged by.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WebSocket {
    /// Pages of which web sites may open one; `None`: of those at one of our domains.
    pub origins: Option<Origins>,
}

impl WebSocket {
    pub(super) fn read(written: &Table<'_>, faults: &mut Faults) -> Self {
        let Some(texts) = written.texts("origins", faults) else { return Self::default() };
        if texts.len() > limits::ADDRESSES {
            let what = format!("`origins` has {} web sites", texts.len());
            let hint = format!("at most {}", limits::ADDRESSES);
            faults.refuse(written.span_of("origins"), what, hint);
        }
        if let Some(any) = texts.iter().find(|text| text.value == "*") {
            if texts.len() > 1 {
                let what = "`*` is every web site, and others are listed too";
                faults.refuse(any.span, what, "write origins = \"*\"");
            }
            return Self { origins: Some(Origins::Any) };
        }
        let mut sites: Vec<Site> = Vec::new();
        for text in texts {
            match Site::parse(text.value) {
                Ok(site) if sites.contains(&site) => {
                    let what = format!("`{}` is listed twice", text.value);
                    faults.refuse(text.span, what, "remove one");
                }
                Ok(site) => sites.push(site),
                Err(why) => {
                    let what = format!("`{}` is no web site", text.value.escape_debug());
                    faults.refuse(text.span, what, why.to_string());
                }
            }
        }
        Self { origins: Some(Origins::Sites(sites)) }
    }

    /// Pages of which web sites may open a WebSocket to a server of these domains.
    pub(crate) fn origins(&self, domains: &[Domain]) -> Origins {
        let hosts = || domains.iter().map(|domain| domain.as_str().into()).collect();
        self.origins.clone().unwrap_or_else(|| Origins::Hosts(hosts()))
    }
}

pub(super) const SECTION: Section = Section {
    name: "websocket",
    repeated: false,
    about: "Who may use `ws` and `wss` of `[listen]`. A browser says which web site its page is from; without this check any page in the world \
            could call with the phone of whoever looks at it. Programs that are no browsers say nothing of a web site and always come in. \
            [More](web-phones.md).",
    keys: &[Key::optional(
        "origins",
        "those at one of `domains`, by http or https and at any port",
        "Web sites whose pages may connect: \"https://phones.example.test\", with its port when that is not the usual one; \"*\" is \
         every site; `[]` none.",
    )],
};

#[cfg(test)]
mod tests {
    use crate::config::Config;

    fn mistake(text: &str) -> String {
        Config::parse("c", &format!("[websocket]\n{text}")).unwrap_err().to_string()
    }

    #[test]
    fn what_is_no_web_site_is_refused_with_its_place() {
        for (text, said) in [
            ("origins = \"phones.example.test\"", "c:2:11: `phones.example.test` is no web site"),
            ("origins = [\"https://a/\"]", "`https://a/` is no web site"),
            ("origins = [\"https://a\", \"HTTPS://A:443\"]", "`HTTPS://A:443` is listed twice"),
            ("origins = [\"https://a\", \"*\"]", "`*` is every web site"),
            ("origin = \"*\"", "did you mean `origins`?"),
        ] {
            let mistake = mistake(text);
            assert!(mistake.contains(said), "{mistake}");
        }
    }

    #[test]
    fn without_a_word_the_sites_of_our_domains_come_in() {
        use net::websocket::Origins;
        let origins = |text: &str| {
            let text = format!("domains = [\"example.test\"]\n{text}");
            let config = Config::parse("c", &text).unwrap();
            config.websocket.origins(&config.domains)
        };
        assert_eq!(origins(""), Origins::Hosts(vec!["example.test".into()]));
        assert_eq!(origins("[websocket]\norigins = \"*\""), Origins::Any);
        assert_eq!(origins("[websocket]\norigins = []"), Origins::Sites(Vec::new()));
    }
}
