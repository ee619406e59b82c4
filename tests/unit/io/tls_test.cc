// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>

#include <asio/buffer.hpp>
#include <asio/connect.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/read.hpp>
#include <asio/ssl/context.hpp>
#include <asio/ssl/error.hpp>
#include <asio/ssl/host_name_verification.hpp>
#include <asio/ssl/impl/src.hpp>
#include <asio/ssl/stream.hpp>
#include <asio/write.hpp>
#include <memory>
#include <stdexcept>
#include <string>

#include "tests/unit/io/io_fixture.h"
#include "worker/io/stream_server.h"
#include "worker/io/use_greenlet.h"
#include "worker/tasks/timeout.h"

namespace grove {
namespace {

using namespace std::chrono_literals;
using asio::ip::tcp;
namespace ssl = asio::ssl;
using tls_stream = ssl::stream<tcp::socket>;

template <auto Free>
struct freed {
  template <typename T>
  void operator()(T* object) const noexcept {
    Free(object);
  }
};
using key_ptr = std::unique_ptr<EVP_PKEY, freed<EVP_PKEY_free>>;
using certificate_ptr = std::unique_ptr<X509, freed<X509_free>>;

void require(bool success) {
  if (!success) throw std::runtime_error("OpenSSL: making a certificate");
}

/// A certificate for `localhost` that has signed itself.
certificate_ptr make_certificate(EVP_PKEY* key) {
  certificate_ptr made(X509_new());
  require(made != nullptr && X509_set_version(made.get(), X509_VERSION_3) == 1);
  require(ASN1_INTEGER_set(X509_get_serialNumber(made.get()), 1) == 1);
  constexpr long an_hour = 3600;
  require(X509_gmtime_adj(X509_getm_notBefore(made.get()), -an_hour) != nullptr);
  require(X509_gmtime_adj(X509_getm_notAfter(made.get()), an_hour) != nullptr);
  X509_NAME* name = X509_get_subject_name(made.get());
  const auto* host = reinterpret_cast<const unsigned char*>("localhost");
  require(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, host, -1, -1, 0) == 1);
  require(X509_set_issuer_name(made.get(), name) == 1 && X509_set_pubkey(made.get(), key) == 1);
  require(X509_sign(made.get(), key, EVP_sha256()) > 0);
  return made;
}

class tls_streams : public io_fixture {
 protected:
  tls_streams() {
    tcp::acceptor listening(loop.io(), tcp::endpoint(asio::ip::address_v4::loopback(), 0));
    near.lowest_layer().connect(listening.local_endpoint());
    listening.accept(far.lowest_layer());
  }
  // Streams copy what their context says when they are made.
  [[nodiscard]] ssl::context server_context() const {
    ssl::context made(ssl::context::tls_server);
    require(SSL_CTX_use_certificate(made.native_handle(), certificate.get()) == 1);
    require(SSL_CTX_use_PrivateKey(made.native_handle(), key.get()) == 1);
    return made;
  }
  static ssl::context client_context() {
    ssl::context made(ssl::context::tls_client);
    made.set_verify_mode(ssl::verify_peer);
    made.set_verify_callback(ssl::host_name_verification("localhost"));
    return made;
  }
  void trust_the_certificate() {
    require(X509_STORE_add_cert(SSL_CTX_get_cert_store(client_side.native_handle()), certificate.get()) == 1);
  }
  asio::error_code handshake(tls_stream& of, tls_stream::handshake_type side) {
    asio::error_code error;
    of.async_handshake(side, use_greenlet[error]);
    return error;
  }

  key_ptr key{EVP_EC_gen("P-256")};
  certificate_ptr certificate = make_certificate(key.get());
  ssl::context server_side = server_context();
  ssl::context client_side = client_context();
  tls_stream near{loop.io(), client_side};
  tls_stream far{loop.io(), server_side};
};

TEST_F(tls_streams, shake_hands_talk_and_part_in_two_greenlets) {
  trust_the_certificate();
  constexpr std::size_t much = std::size_t{1} << 20U;
  in_greenlet([&] {
    auto server = spawn([&] {
      EXPECT_FALSE(handshake(far, tls_stream::server));
      std::string got(much, ' ');
      asio::async_read(far, asio::buffer(got), use_greenlet);
      asio::async_write(far, asio::buffer(got), use_greenlet);
      asio::error_code error;
      EXPECT_EQ(far.async_read_some(asio::buffer(got), use_greenlet[error]), 0U);
      EXPECT_EQ(error, asio::error::eof) << "the other side has shut down";
      far.async_shutdown(use_greenlet);
    });
    EXPECT_FALSE(handshake(near, tls_stream::client));
    const std::string sent(much, 'x');
    std::string back(much, ' ');
    asio::async_write(near, asio::buffer(sent), use_greenlet);
    asio::async_read(near, asio::buffer(back), use_greenlet);
    EXPECT_EQ(back, sent);
    near.async_shutdown(use_greenlet);
    server->get();
  });
}

TEST_F(tls_streams, that_do_not_trust_each_other_fail_on_both_sides) {
  in_greenlet([&] {
    auto server = spawn([&] { return handshake(far, tls_stream::server); });
    EXPECT_EQ(handshake(near, tls_stream::client).category(), asio::error::get_ssl_category());
    near.next_layer().close();
    EXPECT_TRUE(server->get());
  });
}

TEST_F(tls_streams, are_interrupted_in_every_operation) {
  trust_the_certificate();
  in_greenlet([&] {
    auto shaking = spawn([&] { (void)handshake(far, tls_stream::server); });
    yield();
    EXPECT_TRUE(shaking->kill());
    EXPECT_TRUE(shaking->exited());
    EXPECT_FALSE(with_timeout(1ms, [&] { (void)handshake(near, tls_stream::client); }));
  });
}

TEST_F(tls_streams, that_are_closed_abort_who_waits) {
  in_greenlet([&] {
    auto shaking = spawn([&] { return handshake(far, tls_stream::server); });
    yield();
    far.next_layer().close();
    EXPECT_EQ(shaking->get(), asio::error::operation_aborted);
  });
}

TEST_F(tls_streams, are_served_by_a_stream_server) {
  trust_the_certificate();
  in_greenlet([&] {
    stream_server server(loop, tcp::endpoint(asio::ip::address_v4::loopback(), 0), [&](tcp::socket& peer) {
      ssl::stream<tcp::socket&> secured(peer, server_side);
      secured.async_handshake(tls_stream::server, use_greenlet);
      std::string got(4, ' ');
      asio::async_read(secured, asio::buffer(got), use_greenlet);
      asio::async_write(secured, asio::buffer(got), use_greenlet);
      secured.async_shutdown(use_greenlet);
    });
    server.start();
    for (int i = 0; i < 2; ++i) {
      tls_stream client(loop.io(), client_side);
      client.next_layer().async_connect(server.local_endpoint(), use_greenlet);
      client.async_handshake(tls_stream::client, use_greenlet);
      asio::async_write(client, asio::buffer("ping", 4), use_greenlet);
      std::string back(4, ' ');
      asio::async_read(client, asio::buffer(back), use_greenlet);
      EXPECT_EQ(back, "ping");
      client.async_shutdown(use_greenlet);
    }
    EXPECT_TRUE(server.stop());
  });
}

}  // namespace
}  // namespace grove
