//! Addresses, paths, times and settings, made up: nothing panics, and no spelling of an address leads where it may not.

use std::net::{IpAddr, Ipv4Addr};

use common::{
    admin::own_path,
    config::parse_duration,
    guard::{Policy, allow::AllowList},
    yaml,
};
use proptest::prelude::*;
use serde_json::Value;
use url::Url;

/// Every way to write the address in a URL that the standard of URLs knows.
fn spellings(address: Ipv4Addr) -> Vec<String> {
    let [a, b, c, d] = address.octets().map(u32::from);
    let all = address.to_bits();
    let rest = all & 0x00ff_ffff;
    vec![
        format!("{address}"),
        format!("{address}."),
        format!("{all}"),
        format!("0x{all:x}"),
        format!("0X{all:X}"),
        format!("0{all:o}"),
        format!("{a}.{rest}"),
        format!("0x{a:x}.0{b:o}.{c}.{d}"),
        format!("0{a:o}.{b}.{}", c << 8 | d),
        format!("[::ffff:{address}]"),
        format!("[::ffff:{:x}:{:x}]", all >> 16, all & 0xffff),
        format!("[0:0:0:0:0:FFFF:{address}]"),
        format!("%3{}{}", &format!("{address}")[..1], &format!("{address}")[1..]),
        format!("{address}").replace('.', "。"),
    ]
}

proptest! {
    #[test]
    fn an_address_that_may_not_be_connected_to_may_not_in_any_spelling(bits in prop_oneof![
        any::<u32>(),
        (0..1_u32 << 24).prop_map(|low| 127 << 24 | low),
        (0..1_u32 << 24).prop_map(|low| 10 << 24 | low),
        (0..1_u32 << 16).prop_map(|low| 0xa9fe_0000 | low),
        Just(0),
    ]) {
        let (policy, address) = (Policy::default(), Ipv4Addr::from_bits(bits));
        for host in spellings(address) {
            let Ok(url) = Url::parse(&format!("http://{host}/")) else { continue };
            prop_assert_eq!(policy.check(&url).is_ok(), policy.permits(IpAddr::V4(address)), "{}", host);
        }
    }

    #[test]
    fn any_text_that_is_a_url_is_judged(text in "(https?|ftp|file|ws|data)?:?/{0,3}.{0,40}") {
        if let Ok(url) = Url::parse(&text) {
            let is_good = Policy::default().check(&url).is_ok();
            prop_assert!(!is_good || (matches!(url.scheme(), "http" | "https") && url.username().is_empty() && url.password().is_none()));
        }
    }

    #[test]
    fn who_signs_in_stays_here(next in r"[/\\\t\n a-z.:@?#%0-9]{0,24}") {
        let led = Url::parse("http://here.example/login").unwrap().join(own_path(&next)).unwrap();
        prop_assert_eq!(led.host_str(), Some("here.example"), "{:?}", next);
        prop_assert!(!own_path(&next).contains(char::is_control));
    }

    #[test]
    fn any_text_is_a_time_or_none(text in "[0-9.e+-]{0,12}|[0-9]{1,20} ?[a-z]{0,6}|.{0,12}") {
        let _ = parse_duration(&text);
    }

    #[test]
    fn any_text_is_a_list_of_targets_or_none(text in "[0-9a-z.*:/, -]{0,40}|.{0,20}") {
        let _ = text.parse::<AllowList>();
    }

    #[test]
    fn any_text_is_yaml_or_told_with_its_place(text in r#"([- \n{}\[\]:,"'a-z/~0-9&*!|>%@#]|<<: |&a |\*a ){0,80}"#) {
        if let Err(error) = yaml::from_str::<Value>(&text) {
            let mut place = error.splitn(3, ':');
            prop_assert!(place.by_ref().take(2).all(|number| number.parse::<u64>().is_ok()), "{}", error);
        }
    }

    #[test]
    fn what_may_be_the_name_of_a_source_is_safe_in_a_path(name in "[a-z0-9._-]{0,70}|.{0,10}") {
        if yaml::check_name(&name).is_ok() && !name.is_empty() {
            let url = Url::parse("http://here.example/consumetasks/").unwrap().join(&format!("./{name}")).unwrap();
            prop_assert_eq!(url.path(), format!("/consumetasks/{name}"));
        }
    }
}
