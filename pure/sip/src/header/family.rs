//! Grammars that several headers share: one part; one part and parameters; an address; a line of text (RFC 3261 §25.1).

use crate::row::decimal;
use crate::scan::Scan;
use crate::{Method, ParseError, Uri};

/// Something that headers are made of, read at the cursor and written.
pub(crate) trait Part<'a>: Sized {
    /// Reads it where the cursor stands.
    fn read(scan: &mut Scan<'a>) -> Result<Self, ParseError>;

    /// Writes it.
    fn write(&self, out: &mut Vec<u8>);
}

/// `token`
impl<'a> Part<'a> for &'a str {
    fn read(scan: &mut Scan<'a>) -> Result<Self, ParseError> {
        scan.token()
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.as_bytes());
    }
}

/// `LAQUOT absoluteURI RAQUOT`
impl<'a> Part<'a> for &'a [u8] {
    fn read(scan: &mut Scan<'a>) -> Result<Self, ParseError> {
        scan.expect(b'<')?;
        let start = scan.error();
        let uri = scan.take_until(b'>');
        scan.expect(b'>')?;
        Uri::parse(uri).map_err(|error| ParseError { at: start.at + error.at, ..start })?;
        Ok(uri)
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.push(b'<');
        out.extend_from_slice(self);
        out.push(b'>');
    }
}

/// `Method`
impl<'a> Part<'a> for Method<'a> {
    fn read(scan: &mut Scan<'a>) -> Result<Self, ParseError> {
        Method::read(scan)
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.as_str().as_bytes());
    }
}

macro_rules! numbers_are_parts {
    ($($number:ty)*) => {$(
        /// `1*DIGIT` that fits
        impl<'a> Part<'a> for $number {
            fn read(scan: &mut Scan<'a>) -> Result<Self, ParseError> {
                scan.number()
            }

            fn write(&self, out: &mut Vec<u8>) {
                decimal((*self).into(), out);
            }
        }
    )*};
}

numbers_are_parts! { u8 u32 }

/// Headers that are one part and nothing else: `Priority<'a>(&'a str)`.
macro_rules! one_part {
    ($($(#[$doc:meta])* $header:ident $(<$life:lifetime>)? ($part:ty)),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub struct $header $(<$life>)? (pub $part);

        impl<'a> $crate::Header<'a> for $header $(<$life>)? {
            const NAME: $crate::Name = $crate::Name::$header;

            fn parse(value: &'a [u8]) -> Result<Self, $crate::ParseError> {
                let mut scan = $crate::Scan::new(value, $crate::Name::$header.as_str());
                scan.skip_blanks();
                let part = $crate::header::family::Part::read(&mut scan)?;
                scan.end()?;
                Ok(Self(part))
            }

            fn write(&self, out: &mut Vec<u8>) {
                $crate::header::family::Part::write(&self.0, out);
            }
        }
    )*};
}

/// Headers that are one part and parameters: `Event { package: &'a str }`.
macro_rules! with_params {
    ($($(#[$doc:meta])* $header:ident { $(#[$field_doc:meta])* $field:ident: $part:ty }),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub struct $header<'a> {
            $(#[$field_doc])*
            pub $field: $part,
            /// What follows, as written.
            pub params: $crate::Params<'a>,
        }

        impl<'a> $crate::Header<'a> for $header<'a> {
            const NAME: $crate::Name = $crate::Name::$header;

            fn parse(value: &'a [u8]) -> Result<Self, $crate::ParseError> {
                let mut scan = $crate::Scan::new(value, $crate::Name::$header.as_str());
                scan.skip_blanks();
                let part = $crate::header::family::Part::read(&mut scan)?;
                Ok(Self { $field: part, params: $crate::Params::read(&mut scan)? })
            }

            fn write(&self, out: &mut Vec<u8>) {
                $crate::header::family::Part::write(&self.$field, out);
                out.extend_from_slice(self.params.as_bytes());
            }
        }
    )*};
}

/// Headers that are an address: `name-addr` or `addr-spec`, and parameters.
macro_rules! addresses {
    ($($(#[$doc:meta])* $header:ident $(known as $core:ident)?),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub struct $header<'a>(pub $crate::header::NameAddr<'a>);

        impl<'a> $crate::Header<'a> for $header<'a> {
            const NAME: $crate::Name = $crate::Name::$header;

            fn parse(value: &'a [u8]) -> Result<Self, $crate::ParseError> {
                $crate::header::NameAddr::read(value, $crate::Name::$header.as_str()).map(Self)
            }

            $(
                fn known(message: &'a $crate::Message) -> Option<Self> {
                    message.core().$core(message)
                }
            )?

            fn write(&self, out: &mut Vec<u8>) {
                self.0.write(out);
            }
        }

        impl<'a> std::ops::Deref for $header<'a> {
            type Target = $crate::header::NameAddr<'a>;
            fn deref(&self) -> &$crate::header::NameAddr<'a> {
                &self.0
            }
        }
    )*};
}

/// Headers that are a line of text for people: kept octet by octet.
macro_rules! texts {
    ($($(#[$doc:meta])* $header:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub struct $header<'a>(pub &'a [u8]);

        impl<'a> $crate::Header<'a> for $header<'a> {
            const NAME: $crate::Name = $crate::Name::$header;

            fn parse(value: &'a [u8]) -> Result<Self, $crate::ParseError> {
                Ok(Self($crate::scan::trim(value)))
            }

            fn write(&self, out: &mut Vec<u8>) {
                out.extend_from_slice(self.0);
            }
        }
    )*};
}

pub(crate) use {addresses, one_part, texts, with_params};
