//! Dumps in SQL: the rows of one table, as mysqldump, pg_dump and `sqlite3 .dump` write them.

use super::table::{Row, Table};

/// Reads the rows of a table. Other statements are read past.
pub(super) fn read(text: &str, name: &str, table: &str) -> Table {
    let escapes = text.contains('`');
    let mut reader = Reader { text, at: 0, line: 1, escapes, name, table, read: Table::default() };
    while reader.statement().is_some() {}
    reader.read
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    line: usize,
    /// Is a backslash something else than itself? For MySQL, which is known by its backquotes.
    escapes: bool,
    name: &'a str,
    table: &'a str,
    read: Table,
}

/// A word of SQL.
#[derive(Debug, PartialEq, Eq)]
enum Word {
    /// A name, a keyword or a number.
    Bare(String),
    /// `'…'`
    Text(String),
    /// `(`, `)`, `,`, `;` …
    Mark(char),
}

impl Reader<'_> {
    /// Reads one statement; nothing at the end.
    fn statement(&mut self) -> Option<()> {
        let first = self.word()?;
        match &first {
            Word::Bare(word)
                if word.eq_ignore_ascii_case("INSERT") || word.eq_ignore_ascii_case("REPLACE") =>
            {
                self.insert();
            }
            Word::Bare(word) if word.eq_ignore_ascii_case("CREATE") => self.create(),
            Word::Bare(word) if word.eq_ignore_ascii_case("COPY") => self.copy(),
            _ => self.skip(&first),
        }
        Some(())
    }

    /// To the end of the statement.
    fn skip(&mut self, last: &Word) {
        if *last == Word::Mark(';') {
            return;
        }
        while self.word().is_some_and(|word| word != Word::Mark(';')) {}
    }

    /// Up to the name of our table: true when it is that.
    fn reaches_table(&mut self) -> bool {
        let mut last = String::new();
        while let Some(word) = self.peek() {
            match word {
                Word::Bare(word)
                    if ["VALUES", "FROM"].iter().all(|it| !word.eq_ignore_ascii_case(it)) =>
                {
                    last = word;
                    self.word();
                }
                // "public"."subscriber"
                Word::Mark('.') => {
                    self.word();
                }
                _ => break,
            }
        }
        last.eq_ignore_ascii_case(self.table)
    }

    /// `INSERT INTO subscriber (a, b) VALUES (1, 'x'), (2, 'y');`
    fn insert(&mut self) {
        if !self.reaches_table() {
            return self.skip(&Word::Mark(' '));
        }
        let mut columns = None;
        if self.peek() == Some(Word::Mark('(')) {
            columns = Some(self.names());
        }
        // VALUES
        self.word();
        let order = columns.unwrap_or_else(|| match self.read.columns.is_empty() {
            true => KAMAILIO.map(str::to_owned).into(),
            false => self.read.columns.clone(),
        });
        while self.peek() == Some(Word::Mark('(')) {
            self.word();
            let (line, mut cells) = (self.line, Vec::new());
            loop {
                match self.word() {
                    Some(Word::Mark(')') | Word::Mark(';')) | None => break,
                    Some(Word::Mark(_)) => {}
                    Some(Word::Text(text)) => cells.push(Some(text)),
                    Some(Word::Bare(word)) if word.eq_ignore_ascii_case("NULL") => cells.push(None),
                    Some(Word::Bare(word)) => cells.push(Some(word)),
                }
            }
            self.row(line, &order, cells);
            if self.peek() == Some(Word::Mark(',')) {
                self.word();
            }
        }
        if self.peek() == Some(Word::Mark(';')) {
            self.word();
        }
    }

    fn row(&mut self, line: usize, order: &[String], cells: Vec<Option<String>>) {
        let place = format!("{}:{line}", self.name);
        if cells.len() != order.len() {
            let what = format!("{} values, and {} columns", cells.len(), order.len());
            return self.read.faults.push((place, what));
        }
        if self.read.columns.is_empty() {
            self.read.columns = order.to_vec();
        }
        let mut named: Vec<_> = order.iter().zip(cells).collect();
        let mut take = |column: &String| {
            let at = named.iter().position(|(name, _)| *name == column)?;
            named.swap_remove(at).1
        };
        let cells = self.read.columns.iter().map(&mut take).collect();
        self.read.rows.push(Row { place, cells });
    }

    /// `(a, "b", c)`
    fn names(&mut self) -> Vec<String> {
        let mut names = Vec::new();
        while let Some(word) = self.word() {
            match word {
                Word::Mark(')') => break,
                Word::Bare(name) | Word::Text(name) => names.push(name.to_ascii_lowercase()),
                Word::Mark(_) => {}
            }
        }
        names
    }

    /// `CREATE TABLE subscriber (id int(10) NOT NULL, username varchar(64), PRIMARY KEY (id), …);`
    fn create(&mut self) {
        let is_table =
            matches!(self.peek(), Some(Word::Bare(word)) if word.eq_ignore_ascii_case("TABLE"));
        if !is_table || !self.reaches_table() || self.peek() != Some(Word::Mark('(')) {
            return self.skip(&Word::Mark(' '));
        }
        self.word();
        let (mut depth, mut begins, mut columns) = (1_usize, true, Vec::new());
        while depth > 0 {
            let Some(word) = self.word() else { break };
            match word {
                Word::Mark('(') => depth += 1,
                Word::Mark(')') => depth -= 1,
                Word::Mark(',') if depth == 1 => {
                    begins = true;
                    continue;
                }
                Word::Bare(name) | Word::Text(name) if begins && depth == 1 => {
                    let is_key = KEYS.iter().any(|key| name.eq_ignore_ascii_case(key));
                    columns.extend((!is_key).then(|| name.to_ascii_lowercase()));
                }
                _ => {}
            }
            begins = false;
        }
        self.read.columns = columns;
        self.skip(&Word::Mark(' '));
    }

    /// `COPY public.subscriber (id, username) FROM stdin;` and lines with tabs, until `\.`
    fn copy(&mut self) {
        let ours = self.reaches_table();
        let columns = if self.peek() == Some(Word::Mark('(')) { self.names() } else { Vec::new() };
        self.skip(&Word::Mark(' '));
        self.rest_of_line();
        loop {
            let line = self.line;
            let Some(text) = self.rest_of_line() else { return };
            if text == "\\." {
                return;
            }
            if ours {
                let cells = text.split('\t').map(|cell| (cell != "\\N").then(|| unescaped(cell)));
                self.row(line, &columns, cells.collect());
            }
        }
    }

    fn rest_of_line(&mut self) -> Option<String> {
        let rest = self.text.get(self.at..).filter(|rest| !rest.is_empty())?;
        let (line, length) = match rest.find('\n') {
            Some(end) => (rest.get(..end)?, end + 1),
            None => (rest, rest.len()),
        };
        self.at += length;
        self.line += 1;
        Some(line.trim_end_matches('\r').to_owned())
    }

    /// The next word, which stays.
    fn peek(&mut self) -> Option<Word> {
        let (at, line) = (self.at, self.line);
        let word = self.word();
        (self.at, self.line) = (at, line);
        word
    }

    fn word(&mut self) -> Option<Word> {
        self.skip_space();
        let rest = self.text.get(self.at..)?;
        let first = rest.chars().next()?;
        if matches!(first, '\'' | '"' | '`') {
            let text = self.quoted(first);
            return Some(if first == '\'' { Word::Text(text) } else { Word::Bare(text) });
        }
        let bare = |c: char| c.is_alphanumeric() || "_-+$@#\\".contains(c);
        if !bare(first) {
            self.at += first.len_utf8();
            return Some(Word::Mark(first));
        }
        let length = rest.find(|c| !bare(c)).unwrap_or(rest.len());
        self.at += length;
        let word = rest.get(..length)?;
        // `N'…'`, `_utf8'…'`
        let is_prefix = word.eq_ignore_ascii_case("n") || word.starts_with('_');
        if is_prefix && self.text.get(self.at..)?.starts_with('\'') {
            return Some(Word::Text(self.quoted('\'')));
        }
        Some(Word::Bare(word.to_owned()))
    }

    /// What stands in quotes; a quote in it is doubled, or has a backslash before it.
    fn quoted(&mut self, quote: char) -> String {
        let rest = self.text.get(self.at + 1..).unwrap_or_default();
        let (mut text, mut chars) = (String::new(), rest.char_indices().peekable());
        let mut end = rest.len();
        while let Some((at, c)) = chars.next() {
            self.line += usize::from(c == '\n');
            if c == '\\' && quote == '\'' && self.escapes {
                text.extend(chars.next().map(|(_, c)| escaped(c)));
            } else if c == quote && chars.peek().is_some_and(|(_, next)| *next == quote) {
                text.push(quote);
                chars.next();
            } else if c == quote {
                end = at + 1;
                break;
            } else {
                text.push(c);
            }
        }
        self.at += 1 + end;
        text
    }

    /// Past blanks and comments.
    fn skip_space(&mut self) {
        while let Some(rest) = self.text.get(self.at..).filter(|rest| !rest.is_empty()) {
            let length = if rest.starts_with("--") {
                rest.find('\n').map_or(rest.len(), |end| end + 1)
            } else if rest.starts_with("/*") {
                rest.find("*/").map_or(rest.len(), |end| end + 2)
            } else {
                rest.find(|c: char| !c.is_whitespace()).unwrap_or(rest.len())
            };
            if length == 0 {
                return;
            }
            self.line += rest.get(..length).unwrap_or_default().matches('\n').count();
            self.at += length;
        }
    }
}

const fn escaped(c: char) -> char {
    match c {
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        '0' => '\0',
        other => other,
    }
}

fn unescaped(cell: &str) -> String {
    let (mut text, mut chars) = (String::new(), cell.chars());
    while let Some(c) = chars.next() {
        if c == '\\' {
            text.extend(chars.next().map(escaped));
        } else {
            text.push(c);
        }
    }
    text
}

/// How lines of a table begin that are no columns.
const KEYS: [&str; 7] = ["PRIMARY", "UNIQUE", "KEY", "INDEX", "CONSTRAINT", "FOREIGN", "CHECK"];

/// The columns of Kamailio's table, for a dump that does not name them.
const KAMAILIO: [&str; 6] = ["id", "username", "domain", "password", "ha1", "ha1b"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dumps_of_three_databases_are_read_alike() {
        let mysql = "-- MySQL dump\nCREATE TABLE `other` (`a` int);\nINSERT INTO `other` VALUES (1);\nCREATE TABLE `subscriber` (\n \
                     `id` int(10) unsigned NOT NULL AUTO_INCREMENT,\n `username` varchar(64) NOT NULL DEFAULT '',\n `password` varchar(64),\n \
                     PRIMARY KEY (`id`),\n UNIQUE KEY `x` (`username`,`password`)\n) ENGINE=InnoDB;\nLOCK TABLES `subscriber` WRITE;\n\
                     INSERT INTO `subscriber` VALUES (1,'101','it\\'s; (me)'),(2,'102',NULL);\n";
        let postgres = "SET x = 1;\nCOPY public.other (a) FROM stdin;\n1\n\\.\nCOPY public.subscriber (id, username, password) FROM stdin;\n\
                        1\t101\tit's; (me)\n2\t102\t\\N\n\\.\n";
        let sqlite = "PRAGMA foreign_keys=OFF;\nBEGIN TRANSACTION;\nCREATE TABLE subscriber (id INTEGER PRIMARY KEY NOT NULL, username VARCHAR(64) \
                      DEFAULT '' NOT NULL, password VARCHAR(64));\nINSERT INTO subscriber VALUES(1,'101','it''s; (me)');\n\
                      INSERT INTO \"subscriber\" (username, id) VALUES('102',2);\nCOMMIT;\n";
        for (dump, lines) in [(mysql, [12, 12]), (postgres, [6, 7]), (sqlite, [4, 5])] {
            let table = read(dump, "s.sql", "subscriber");
            assert_eq!(table.columns, ["id", "username", "password"], "{dump}");
            let rows: Vec<_> = table
                .rows
                .iter()
                .map(|row| (table.get(row, "username"), table.get(row, "password")))
                .collect();
            assert_eq!(rows, [(Some("101"), Some("it's; (me)")), (Some("102"), None)], "{dump}");
            let places = lines.map(|line| format!("s.sql:{line}"));
            assert_eq!([&table.rows[0].place, &table.rows[1].place], [&places[0], &places[1]]);
            assert_eq!(table.faults, []);
        }
    }

    #[test]
    fn whatever_stands_in_a_file_it_is_read_to_its_end() {
        for text in [
            "INSERT INTO subscriber VALUES ('",
            "CREATE TABLE subscriber (a",
            "COPY subscriber",
            "INSERT",
            "'",
            "/*",
            "((((",
            "é;ü",
            "INSERT INTO subscriber VALUES (1,2",
        ] {
            for end in (0..=text.len()).filter(|end| text.is_char_boundary(*end)) {
                read(&text[..end], "s", "subscriber");
            }
        }
    }
}
