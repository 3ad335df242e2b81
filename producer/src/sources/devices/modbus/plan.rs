//! Which points are asked for together: pure.

use super::keys::{Point, Register};

/// Of one request, by the Modbus application protocol 1.1b3, sections 6.1 to 6.4.
const MOST_REGISTERS: u32 = 125;
const MOST_BITS: u32 = 2000;
/// What is read along because it lies between two points costs less than a request more.
const WIDEST_GAP: u32 = 8;
const WIDEST_GAP_OF_BITS: u32 = 64;

/// A run of one table, and the points in it by their places in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    pub register: Register,
    pub start: u16,
    pub count: u16,
    pub points: Vec<usize>,
}

/// As few requests as the limits allow.
pub fn together(points: &[Point]) -> Vec<Request> {
    let mut order: Vec<usize> = (0..points.len()).collect();
    order.sort_by_key(|place| (points[*place].register, points[*place].address));
    let mut requests: Vec<Request> = Vec::new();
    for place in order {
        let point = &points[place];
        match requests.last_mut().and_then(|last| joined(last, point).map(|count| (last, count))) {
            Some((last, count)) => {
                last.count = count;
                last.points.push(place);
            }
            None => requests.push(alone(points, place)),
        }
    }
    requests
}

/// A request for each of its points, for a device that refuses them together.
pub fn apart(points: &[Point], request: &Request) -> Vec<Request> {
    request.points.iter().map(|place| alone(points, *place)).collect()
}

fn alone(points: &[Point], place: usize) -> Request {
    let point = &points[place];
    Request { register: point.register, start: point.address, count: point.width(), points: vec![place] }
}

/// How long the request would be with this point; `None`: it is too far, or too much.
fn joined(request: &Request, point: &Point) -> Option<u16> {
    let (most, gap) =
        if point.register.is_bit() { (MOST_BITS, WIDEST_GAP_OF_BITS) } else { (MOST_REGISTERS, WIDEST_GAP) };
    let (start, end) = (u32::from(request.start), u32::from(request.start) + u32::from(request.count));
    let count = point.end().max(end) - start;
    let is_near = request.register == point.register && u32::from(point.address) <= end + gap && count <= most;
    u16::try_from(count).ok().filter(|_| is_near)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points(written: &[(&str, u16, &str)]) -> Vec<Point> {
        let point = |(place, (register, address, kind)): (usize, &(&str, u16, &str))| {
            let text = format!("{{name: p{place}, register: {register}, address: {address}, type: {kind}}}");
            serde_saphyr::from_str(&text).unwrap()
        };
        written.iter().enumerate().map(point).collect()
    }

    fn planned(written: &[(&str, u16, &str)]) -> Vec<(u16, u16, Vec<usize>)> {
        let requests = together(&points(written));
        requests.into_iter().map(|request| (request.start, request.count, request.points)).collect()
    }

    #[test]
    fn what_lies_near_is_asked_for_together() {
        let written = [
            ("input", 10, "f32"),
            ("input", 0, "u16"),
            ("input", 1, "u64"),
            ("input", 21, "u16"),
            ("holding", 1, "u16"),
            ("coil", 65, "bool"),
            ("coil", 0, "bool"),
            ("coil", 131, "bool"),
        ];
        assert_eq!(
            planned(&written),
            [(0, 66, vec![6, 5]), (131, 1, vec![7]), (1, 1, vec![4]), (0, 12, vec![1, 2, 0]), (21, 1, vec![3])]
        );
    }

    #[test]
    fn a_request_is_never_too_long() {
        let many: Vec<(&str, u16, &str)> = (0..100).map(|place| ("input", place * 2, "f32")).collect();
        let runs: Vec<(u16, u16)> = planned(&many).into_iter().map(|(start, count, _)| (start, count)).collect();
        assert_eq!(runs, [(0, 124), (124, 76)]);
        assert_eq!(planned(&[("input", 65535, "u16")]), [(65535, 1, vec![0])]);
    }

    #[test]
    fn apart_each_is_asked_for_alone() {
        let points = points(&[("input", 0, "u16"), ("input", 1, "f32")]);
        let requests = apart(&points, &together(&points)[0]);
        assert_eq!(requests.iter().map(|request| (request.start, request.count)).collect::<Vec<_>>(), [(0, 1), (1, 2)]);
    }
}
