//! What goes over the wire to an object store. The client signs, retries and finds keys; here is heard what it leaves
//! out: pages of listings whole (class and encryption, names as they are), and what a refusal says.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::StreamExt;
use object_store::ClientConfigKey;
use object_store::ClientOptions;
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse,
    HttpResponseBody, HttpService, ReqwestConnector,
};

use super::page::{self, Page};

/// What was heard since it was last asked for.
#[derive(Debug, Default, Clone)]
pub(super) struct Heard {
    pub(super) page: Option<Page>,
    pub(super) failure: Option<Failure>,
    /// How the object of the last answer is encrypted where it lies, in the store's words.
    pub(super) encryption: Option<String>,
}

/// What went wrong last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Failure {
    /// Plain HTTP, which is not allowed; nothing was sent.
    PlainHttp,
    Slow {
        host: String,
    },
    /// No connection, or one that broke.
    Broken {
        host: String,
        words: String,
    },
    /// An answer that is an error.
    Status {
        host: String,
        status: u16,
        code: String,
        message: String,
        region: String,
    },
    /// An answer that should be a listing and is something else.
    NoListing(String),
}

/// Listens to every client that it makes.
#[derive(Debug, Clone, Default)]
pub(super) struct Tap(Arc<Mutex<Heard>>);

impl Tap {
    /// What was heard; from here on it listens anew.
    pub(super) fn take(&self) -> Heard {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn hear(&self, heard: Heard) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = heard;
    }

    fn fail(&self, failure: Failure) {
        let failure = Some(failure);
        self.hear(Heard {
            failure,
            ..Heard::default()
        });
    }
}

impl HttpConnector for Tap {
    fn connect(&self, options: &ClientOptions) -> object_store::Result<HttpClient> {
        let allowed = options.get_config_value(&ClientConfigKey::AllowHttp);
        Ok(HttpClient::new(Line {
            tap: self.clone(),
            client: ReqwestConnector::default().connect(options)?,
            may_be_plain: allowed.as_deref() == Some("true"),
        }))
    }
}

/// A client that is listened to.
#[derive(Debug)]
struct Line {
    tap: Tap,
    client: HttpClient,
    may_be_plain: bool,
}

/// Pages have a thousand names of at most 1024 bytes (Azure: five thousand).
const LARGEST_PAGE: usize = 32 << 20;
const LARGEST_ERROR: usize = 64 << 10;

impl HttpService for Line {
    fn call<'s, 'f>(
        &'s self,
        request: HttpRequest,
    ) -> Pin<Box<dyn Future<Output = Result<HttpResponse, HttpError>> + Send + 'f>>
    where
        's: 'f,
        Self: 'f,
    {
        Box::pin(self.exchange(request))
    }
}

impl Line {
    async fn exchange(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let uri = request.uri();
        let authority = uri.authority().map(|authority| authority.as_str());
        let host = authority.unwrap_or_default().to_owned();
        let is_listing = is_listing(uri.query().unwrap_or_default());
        if uri.scheme_str() == Some("http") && !self.may_be_plain {
            self.tap.fail(Failure::PlainHttp);
            let error = io::Error::other("plain HTTP is not allowed");
            return Err(HttpError::new(HttpErrorKind::Unknown, error));
        }
        let answer = self.client.execute(request).await;
        let read = match answer {
            Ok(response) if !response.status().is_success() => self.refused(response, &host).await,
            Ok(response) if is_listing => self.listed(response).await,
            Ok(response) => {
                self.answered(&response);
                Ok(response)
            }
            Err(error) => Err(error),
        };
        read.inspect_err(|error| {
            self.tap.fail(match error.kind() {
                HttpErrorKind::Timeout => Failure::Slow { host },
                _ => Failure::Broken {
                    host,
                    words: page::plain(&innermost(error), 120),
                },
            });
        })
    }

    /// Takes the page out of the answer; the client is left with an empty one.
    async fn listed(&self, response: HttpResponse) -> Result<HttpResponse, HttpError> {
        let (parts, body) = response.into_parts();
        let text = text(body, LARGEST_PAGE).await?;
        let is_azure = text.contains("<EnumerationResults");
        self.tap.hear(match page::read(&text) {
            Ok(page) => Heard {
                page: Some(page),
                ..Heard::default()
            },
            Err(words) => Heard {
                failure: Some(Failure::NoListing(words)),
                ..Heard::default()
            },
        });
        let empty = if is_azure {
            "<EnumerationResults><Blobs></Blobs></EnumerationResults>"
        } else {
            "<ListBucketResult></ListBucketResult>"
        };
        Ok(HttpResponse::from_parts(parts, empty.to_owned().into()))
    }

    async fn refused(&self, response: HttpResponse, host: &str) -> Result<HttpResponse, HttpError> {
        let (parts, body) = response.into_parts();
        let text = text(body, LARGEST_ERROR).await?;
        let header = |name: &str| {
            let value = parts
                .headers
                .get(name)
                .and_then(|value| value.to_str().ok());
            page::plain(value.unwrap_or_default(), 60)
        };
        let (mut code, message, mut region) = page::error(&text);
        if code.is_empty() {
            code = header("x-ms-error-code");
        }
        if region.is_empty() {
            region = header("x-amz-bucket-region");
        }
        self.tap.fail(Failure::Status {
            host: host.to_owned(),
            status: parts.status.as_u16(),
            code,
            message,
            region,
        });
        Ok(HttpResponse::from_parts(parts, text.into()))
    }

    fn answered(&self, response: &HttpResponse) {
        let header = response.headers().get("x-amz-server-side-encryption");
        let encryption = header.and_then(|value| value.to_str().ok());
        self.tap.hear(Heard {
            encryption: encryption.map(|word| page::plain(word, 40)),
            ..Heard::default()
        });
    }
}

fn is_listing(query: &str) -> bool {
    query
        .split('&')
        .any(|pair| pair == "list-type=2" || pair == "comp=list")
}

/// The body as text, up to so many bytes; what is longer was not meant for us.
async fn text(body: HttpResponseBody, limit: usize) -> Result<String, HttpError> {
    let (mut stream, mut bytes) = (body.bytes_stream(), Vec::new());
    while let Some(chunk) = stream.next().await {
        let chunk = chunk?;
        if bytes.len() + chunk.len() > limit {
            break;
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// The words of the error at the bottom, which name the cause.
pub(super) fn innermost(error: &dyn std::error::Error) -> String {
    let mut deepest = error;
    while let Some(source) = deepest.source() {
        deepest = source;
    }
    deepest.to_string()
}
