//! §23: S/MIME, which we do not speak.

use sip::Name;

use crate::handset::{Bench, rows};

/// "a user agent that receives a request containing an S/MIME body that is not optional … MUST reject the request with a 415 Unsupported Media Type
/// response if the MIME type is not understood"; an optional one does no harm.
/// Proves: rfc3261-23.2-20.
#[test]
fn what_is_signed_or_hidden_is_refused_unless_it_may_be_passed_over() {
    for kind in ["application/pkcs7-mime", "multipart/signed;boundary=b", "message/sip"] {
        for (handling, status) in [("required", "415"), ("optional", "200")] {
            let mut bench = Bench::new();
            let body = "--b\r\nContent-Type: text/plain\r\n\r\nx\r\n--b--\r\n";
            let described = format!(
                "Content-Type: {kind}\r\nContent-Disposition: render;handling={handling}\r\n"
            );
            let options = bench.request("OPTIONS", &described, body);
            bench.tell(options);
            let answer = bench.only();
            assert_eq!(crate::handset::titles(std::slice::from_ref(&answer)), [status], "{kind}");
            assert_eq!(rows(&answer, Name::Accept), ["application/sdp"]);
        }
    }
}
