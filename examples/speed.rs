use std::time::{Duration, Instant};
use panelcam::compositor::{Compositor, Gpu, Scene};
use panelcam::frame::{Picture, Size};
use panelcam::panels::{Library, Page};
use panelcam::people::Point;
use panelcam::places::Places;
fn cpu() -> f64 {
    let s = std::fs::read_to_string("/proc/self/stat").unwrap();
    let f: Vec<&str> = s.rsplit(')').next().unwrap().split_whitespace().collect();
    (f[11].parse::<f64>().unwrap() + f[12].parse::<f64>().unwrap()) * 10.0
}
fn main() {
    let only = std::env::args().nth(1);

    let gpu = Gpu::headless().unwrap();
    println!("{}", gpu.name);
    let (lib, _) = Library::load(&Places::of_user());
    let scene = Scene { time: Duration::ZERO, mirror: true, compare: false, focus: Point { x: 0.5, y: 0.4 } };
    for id in ["plain", "none", "webtoon", "two-panel"] {
        if only.as_ref().is_some_and(|o| o != id) { continue }
        for (size, styled) in [(Size::new(854, 480), Size::new(640, 368)), (Size::new(854, 480), Size::new(854, 480)), (Size::new(1280, 720), Size::new(640, 368)), (Size::new(1920, 1080), Size::new(960, 544)), (Size::new(1080,1350), Size::new(640,368))] {
            let page = if id == "none" { Page::plain(size) } else { lib.page(id).unwrap() };
            let mut c = Compositor::new(gpu.clone()).unwrap();
            let t = Instant::now();
            c.set_page(&page, size).unwrap();
            let set = t.elapsed();
            let mut pic = Picture::new(styled);
            for (i, p) in pic.rgba_mut().iter_mut().enumerate() { *p = (i * 7919 >> 3) as u8; }
            let mut out = Picture::default();
            let (mut u, mut r, mut f) = (vec![], vec![], vec![]);
            let c0 = cpu();
            for _ in 0..150 {
                let a = Instant::now();
                c.upload_styled(&pic).unwrap();
                let b = Instant::now();
                let (_t, reading) = c.render_to_memory(&scene).unwrap();
                let d = Instant::now();
                reading.finish(&mut out).unwrap();
                let e = Instant::now();
                u.push(b - a); r.push(d - b); f.push(e - d);
            }
            let used = (cpu() - c0) / 150.0;
            let ms = |v: &mut Vec<Duration>| { v.sort(); (v[v.len()/2].as_secs_f64()*1e3, v[v.len()/50].as_secs_f64()*1e3) };
            let (u, r, f) = (ms(&mut u), ms(&mut r), ms(&mut f));
            println!("{id:10} {size} from {styled}: set_page {:.0} ms; p50 upload {:.2} record {:.2} finish {:.2} total {:.2}; best {:.2}; CPU {:.2}", set.as_secs_f64()*1e3, u.0, r.0, f.0, u.0+r.0+f.0, u.1+r.1+f.1, used);
        }
    }
}
