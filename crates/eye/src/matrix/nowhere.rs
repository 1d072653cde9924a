//! An address that is none.
use super::Site;

#[tokio::test]
async fn an_address_that_is_none_keeps_the_navigation_of_whoever_is_signed_in_and_tries_no_password() {
    let site = Site::new();
    let signed_in = site.seat("analyst", "session").clone();
    let got = site.ask(&signed_in, "GET", "/nowhere").await;
    assert!(got.status == 404 && got.text.contains("ce-nav") && got.text.contains("href=\"/search\""), "{}", got.text);
    for (who, via) in [("nobody", "none"), ("revoked", "session"), ("analyst", "basic"), ("analyst", "bearer")] {
        let seat = site.seat(who, via).clone();
        let got = site.ask(&seat, "GET", "/nowhere").await;
        assert!(got.status == 404 && !got.text.contains("ce-nav"), "{who} by {via}: {}", got.text);
    }
    site.node.close();
}
