//! The stages, run from the window: one thread starts them and passes on what the window asks,
//! so that opening a camera or loading a model never holds up the window.

use std::f32::consts::TAU;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use eframe::egui_wgpu::RenderState;
use eframe::wgpu;
use egui::{ColorImage, Context, TextureOptions};

use crate::action::Action;
use crate::frame::{Picture, Size};
use crate::mailbox::{Mailbox, Taken};
use crate::places::Places;
use crate::settings::{Provider, Settings};
use crate::source::{CameraChoice, Source};
use crate::status::{Board, Engine, Rate, Severity, SourceState, Topic};
use crate::ui::{Choice, Device};
use crate::worker::{Stop, Worker};

/// The stages and what they send to the window.
pub struct Session {
    orders: Arc<Mailbox<Order>>,
    news: Arc<Mailbox<News>>,
    screen: Arc<Mailbox<ScreenProgram>>,
    board: Arc<Board>,
    pictures: PathBuf,
    _worker: Worker,
}

/// What the window asks for, gathered until the session's thread takes it.
#[derive(Default)]
struct Order {
    settings: Option<Settings>,
    actions: Vec<Action>,
}

/// What there is to pick from. Always all of it: a newer one replaces an older.
#[derive(Clone, Default)]
pub struct News {
    devices: Vec<Device>,
    styles: Vec<Item>,
    pages: Vec<Item>,
}

/// A style or a page, with its thumbnail in memory.
#[derive(Clone)]
struct Item {
    id: String,
    name: String,
    name_ko: Option<String>,
    thumbnail: Option<Arc<Picture>>,
}

/// The same, with thumbnails as textures.
#[derive(Default)]
pub struct Shelf {
    /// Cameras.
    pub devices: Vec<Device>,
    /// Styles.
    pub styles: Vec<Choice>,
    /// Pages.
    pub pages: Vec<Choice>,
}

impl Shelf {
    /// Takes what is new over.
    pub fn update(&mut self, ctx: &Context, news: News) {
        self.devices = news.devices;
        self.styles = news
            .styles
            .into_iter()
            .map(|item| item.into_choice(ctx))
            .collect();
        self.pages = news
            .pages
            .into_iter()
            .map(|item| item.into_choice(ctx))
            .collect();
    }
}

impl Item {
    fn into_choice(self, ctx: &Context) -> Choice {
        let thumbnail = self.thumbnail.map(|picture| {
            let size = [picture.width() as usize, picture.height() as usize];
            let image = ColorImage::from_rgba_premultiplied(size, picture.rgba());
            ctx.load_texture(self.id.clone(), image, TextureOptions::LINEAR)
        });
        Choice {
            id: self.id,
            name: self.name,
            name_ko: self.name_ko,
            thumbnail,
        }
    }
}

impl Session {
    /// Starts the stages on the window's graphics device. What goes wrong there comes as a
    /// notice on the board: the window stays.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(
        graphics: &RenderState,
        places: Places,
        settings: Settings,
        ctx: &Context,
    ) -> io::Result<Self> {
        let board = Board::new();
        let orders = Arc::new(Mailbox::new());
        let news = Arc::new(Mailbox::with_waker(waker(ctx)));
        let screen = Arc::new(Mailbox::with_waker(waker(ctx)));
        let pictures = places.pictures.clone();
        let stages = Stages {
            graphics: graphics.clone(),
            settings,
            orders: Arc::clone(&orders),
            news: Arc::clone(&news),
            screen: Arc::clone(&screen),
            board: Arc::clone(&board),
        };
        let worker = Worker::spawn("session", move |stop| stages.run(stop))?;
        Ok(Self {
            orders,
            news,
            screen,
            board,
            pictures,
            _worker: worker,
        })
    }

    /// Tells the stages the settings.
    pub fn apply(&self, settings: &Settings) {
        self.order(|order| order.settings = Some(settings.clone()));
    }

    /// Asks for something.
    pub fn act(&self, action: Action) {
        self.order(|order| order.actions.push(action));
    }

    /// Adds to the order that waits: only this thread sends orders, so none is lost.
    fn order(&self, add: impl FnOnce(&mut Order)) {
        let mut order = self.orders.try_take().unwrap_or_default();
        add(&mut order);
        self.orders.send(order);
    }

    /// What there is to pick from, when it has changed.
    pub fn news(&self) -> Option<News> {
        self.news.try_take()
    }

    /// Where programs arrive.
    pub fn screen(&self) -> &Mailbox<ScreenProgram> {
        &self.screen
    }

    /// Where the stages report.
    pub fn board(&self) -> &Arc<Board> {
        &self.board
    }

    /// Where photos are saved.
    pub fn pictures(&self) -> &Path {
        &self.pictures
    }
}

fn waker(ctx: &Context) -> impl Fn() + Send + Sync + 'static {
    let ctx = ctx.clone();
    move || ctx.request_repaint()
}

/// A program on the graphics device.
pub struct ScreenProgram {
    texture: Arc<(wgpu::Texture, wgpu::TextureView)>,
    size: Size,
}

impl ScreenProgram {
    /// The texture, `Rgba8Unorm`, premultiplied.
    pub fn view(&self) -> &wgpu::TextureView {
        &self.texture.1
    }

    /// Its size.
    pub fn size(&self) -> Size {
        self.size
    }
}

struct Stages {
    graphics: RenderState,
    settings: Settings,
    orders: Arc<Mailbox<Order>>,
    news: Arc<Mailbox<News>>,
    screen: Arc<Mailbox<ScreenProgram>>,
    board: Arc<Board>,
}

/// Everything below stands in for the stages until they are here.
impl Stages {
    fn run(mut self, stop: &Stop) {
        let started = Instant::now();
        self.board
            .set_graphics(self.graphics.adapter.get_info().name);
        stop.sleep(Duration::from_millis(400));
        let size = Size::new(1280, 720);
        self.board.set_source(SourceState::Live {
            name: "HD Webcam".to_owned(),
            size,
            format: "MJPEG".to_owned(),
        });
        self.news.send(news());
        stop.sleep(Duration::from_millis(400));
        self.board.set_engine(Engine {
            provider: Some(Provider::Cpu),
            threads: 2,
            size: Size::new(640, 360),
            reason: "No GPU provider is installed. `panelcam runtime` lists them.".to_owned(),
        });
        stop.sleep(Duration::from_millis(400));
        let mut picture = Picture::new(size);
        let mut compare = false;
        while !stop.asked() {
            let frame = Instant::now();
            if let Taken::Value(order) = self.orders.take_within(Duration::from_millis(1)) {
                if let Some(settings) = order.settings {
                    self.settings = settings;
                }
                for action in order.actions {
                    match action {
                        Action::Compare(on) => compare = on,
                        Action::FindCameras => { self.news.send(news()); }
                        Action::TakePhoto => self.board.notice(
                            Topic::Output,
                            Severity::Info,
                            "Photo saved. (/home/someone/Pictures/panelcam/panelcam-2026-11-24-120000.png)",
                        ),
                        _ => {}
                    }
                }
            }
            let hue = if compare {
                0.0
            } else {
                self.settings.look.strength
            };
            paint(&mut picture, started.elapsed().as_secs_f32(), hue);
            self.screen.send(self.upload(&picture));
            for rate in [Rate::Captured, Rate::Styled, Rate::Program] {
                self.board.count(rate);
            }
            self.board.latency(frame.elapsed());
            stop.sleep(Duration::from_millis(33).saturating_sub(frame.elapsed()));
        }
    }

    fn upload(&self, picture: &Picture) -> ScreenProgram {
        let size = picture.size();
        let extent = wgpu::Extent3d {
            width: size.width,
            height: size.height,
            depth_or_array_layers: 1,
        };
        let texture = self
            .graphics
            .device
            .create_texture(&wgpu::TextureDescriptor {
                label: Some("program"),
                size: extent,
                mip_level_count: 1,
                sample_count: 1,
                dimension: wgpu::TextureDimension::D2,
                format: wgpu::TextureFormat::Rgba8Unorm,
                usage: wgpu::TextureUsages::TEXTURE_BINDING | wgpu::TextureUsages::COPY_DST,
                view_formats: &[],
            });
        self.graphics.queue.write_texture(
            texture.as_image_copy(),
            picture.rgba(),
            wgpu::TexelCopyBufferLayout {
                offset: 0,
                bytes_per_row: Some(size.width * 4),
                rows_per_image: None,
            },
            extent,
        );
        let view = texture.create_view(&wgpu::TextureViewDescriptor::default());
        ScreenProgram {
            texture: Arc::new((texture, view)),
            size,
        }
    }
}

fn news() -> News {
    let item = |(index, (id, name, ko)): (usize, (&str, &str, &str))| {
        let mut picture = Picture::new(Size::new(160, 120));
        paint(&mut picture, index as f32 * 1.7, 1.0);
        Item {
            id: id.to_owned(),
            name: name.to_owned(),
            name_ko: Some(ko.to_owned()),
            thumbnail: Some(Arc::new(picture)),
        }
    };
    let styles = [
        ("clean", "Clean line", "깔끔한 선"),
        ("noir", "Noir", "누아르"),
        ("pastel", "Pastel", "파스텔"),
        ("ink", "Ink wash", "수묵"),
    ];
    let pages = [
        ("webtoon", "Webtoon panel", "웹툰 컷"),
        ("two-panel", "Two panels", "두 컷"),
        ("plain", "Full picture", "전체 화면"),
    ];
    News {
        devices: vec![Device {
            name: "HD Webcam".to_owned(),
            source: Source::Camera(CameraChoice::Path("/dev/video0".into())),
            formats: ["MJPEG 1280x720 30", "MJPEG 1920x1080 30", "YUYV 640x480 30"]
                .map(str::to_owned)
                .to_vec(),
        }],
        styles: styles.into_iter().enumerate().map(item).collect(),
        pages: pages.into_iter().enumerate().map(item).collect(),
    }
}

fn paint(picture: &mut Picture, time: f32, colour: f32) {
    let Size { width, height } = picture.size();
    let turn = |phase: f32| ((phase + time * 0.3) * TAU).sin() * 0.5 + 0.5;
    let row_bytes = width as usize * 4;
    for (y, row) in picture.rgba_mut().chunks_exact_mut(row_bytes).enumerate() {
        let v = y as f32 / height as f32;
        for (x, pixel) in row.as_chunks_mut::<4>().0.iter_mut().enumerate() {
            let u = x as f32 / width as f32;
            let grey = (u + v) * 0.5;
            let mix = |phase: f32| {
                let value = phase * colour + grey * (1.0 - colour);
                (value * 255.0) as u8
            };
            *pixel = [mix(turn(u * 0.3)), mix(v), mix(0.7 - 0.3 * u), 255];
        }
    }
}
