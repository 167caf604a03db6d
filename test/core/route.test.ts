import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createRouter, pathOf } from "../../src/core/route.ts";

const automatic = createRouter({ rawUris: false, templates: [] });

describe("automatic templates", () => {
  it.each([
    // Ids
    ["/users/42", "/users/{id}"],
    ["/users/42/orders/7", "/users/{id}/orders/{id}"],
    ["/users/42/", "/users/{id}/"],
    ["/42", "/{id}"],
    ["/u/550e8400-e29b-41d4-a716-446655440000", "/u/{id}"],
    ["/u/550E8400-E29B-41D4-A716-446655440000", "/u/{id}"],
    ["/u/abcdefab-cdef-4bcd-efab-cdefabcdefab", "/u/{id}"],
    ["/u/550e8400e29b41d4a716446655440000", "/u/{id}"],
    ["/u/507f1f77bcf86cd799439011", "/u/{id}"],
    ["/commit/3f2a9c1", "/commit/{id}"],
    ["/commit/8f3a2b1c", "/commit/{id}"],
    ["/x/0xdeadbeef1", "/x/{id}"],
    ["/o/01ARZ3NDEKTSV4RRFFQ69G5FAV", "/o/{id}"],
    ["/o/01arz3ndektsv4rrffq69g5fav", "/o/{id}"],
    ["/o/cjld2cjxh0000qzrmn831i7rn", "/o/{id}"],
    ["/o/V1StGXR8_Z5jdHi6B-myT", "/o/{id}"],
    ["/watch/dQw4w9WgXcQ", "/watch/{id}"],
    ["/c/cus_NffrFeUfNV2Hib", "/c/cus_{id}"],
    ["/t/eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9", "/t/{id}"],
    ["/t/dGhpcyBpcyBhIGxvbmcgdG9rZW4gMTIz", "/t/{id}"],
    ["/t/dGhpcyBpcyBhIGxvbmcgdG9rZW4gMQ==", "/t/{id}"],
    ["/users/ann@example.org", "/users/{id}"],
    ["/users/ann.lee%40example.co.uk", "/users/{id}"],
    ["/days/2024-01-15", "/days/{id}"],
    ["/days/20240115", "/days/{id}"],
    ["/at/2024-01-15T10:00:00.5Z", "/at/{id}"],
    ["/at/2024-01-15T10%3A00%3A00+02:00", "/at/{id}"],
    ["/at/20240115T101010Z", "/at/{id}"],
    ["/items/abc123", "/items/{id}"],
    ["/items/user12345", "/items/{id}"],
    ["/items/1,2,3", "/items/{id}"],
    ["/geo/52.5200/13.4050", "/geo/{id}/{id}"],
    ["/ip/192.168.0.1", "/ip/{id}"],
    // Part of a segment
    ["/orders/order-1234", "/orders/order-{id}"],
    ["/u/user-550e8400-e29b-41d4-a716-446655440000", "/u/user-{id}"],
    ["/users/42.json", "/users/{id}.json"],
    ["/img/logo-8f3a2b1c.png", "/img/logo-{id}.png"],
    ["/assets/index-BfQ3x9Zk.js", "/assets/index-{id}.js"],
    ["/js/app.8f3a2b1c9d.chunk.js", "/js/app.{id}.chunk.js"],
    ["/js/jquery-3.6.0.min.js", "/js/jquery-{id}.min.js"],
    ["/page;jsessionid=1A530637289A03B07199A44E8D531427", "/page;jsessionid={id}"],
    ["/Products(42)", "/Products({id})"],
    ["/files/a%20b%2042", "/files/a%20b%20{id}"],
    // Words
    ["/", "/"],
    ["/index.html", "/index.html"],
    ["/v1/users", "/v1/users"],
    ["/v1.2/users", "/v1.2/users"],
    ["/apis/apps/v1beta1", "/apis/apps/v1beta1"],
    ["/1.0/containers", "/1.0/containers"],
    ["/api2", "/api2"],
    ["/feedbeef", "/feedbeef"],
    ["/deadbeef/cafe", "/deadbeef/cafe"],
    ["/oauth2/token", "/oauth2/token"],
    ["/s3/ec2/k8s/i18n/log4j/md5", "/s3/ec2/k8s/i18n/log4j/md5"],
    ["/sha256/h264/x509/error404", "/sha256/h264/x509/error404"],
    ["/video.mp4", "/video.mp4"],
    ["/favicon.ico", "/favicon.ico"],
    ["/.well-known/openid-configuration", "/.well-known/openid-configuration"],
    ["/getUserAccountSettingsByEmailAddress", "/getUserAccountSettingsByEmailAddress"],
    ["/GetS3File/iPhone12Pro/OAuth2Token", "/GetS3File/iPhone12Pro/OAuth2Token"],
    ["/internationalization-of-everything", "/internationalization-of-everything"],
    ["/@angular/core", "/@angular/core"],
    ["/hello%20world", "/hello%20world"],
    ["/J%C3%BCrgen", "/J%C3%BCrgen"],
    ["/users/{id}", "/users/{id}"],
    ["//a///b", "//a///b"],
    // Targets
    ["/a?id=42", "/a"],
    ["/a?b?c#d", "/a"],
    ["http://host/users/42?x", "/users/{id}"],
    ["HTTPS://user:pw@host:8080/users/42", "/users/{id}"],
    ["http://host", "/"],
    ["http://host?x=1", "/"],
    ["*", "*"],
    ["host:443", "host:443"],
    ["[::1]:8443", "[::1]:8443"],
    ["", ""],
  ])("%s → %s", (uri, template) => {
    expect(automatic(uri)).toBe(template);
  });

  it("is a fixed point: a template is its own template", () => {
    const segment = fc.oneof(fc.string(), fc.uuid(), fc.nat().map(String));
    fc.assert(
      fc.property(fc.array(segment, { maxLength: 5 }), (segments) => {
        const template = automatic(`/${segments.join("/")}`);
        expect(automatic(template)).toBe(template);
      }),
    );
  });

  it("hides any number, UUID and long hex, whatever stands around it", () => {
    const hex = fc.string({ unit: fc.constantFrom(..."0123456789abcdef"), minLength: 24, maxLength: 64 });
    const id = fc.oneof(
      fc.nat().map(String),
      fc.uuid(),
      hex.filter((s) => /\d/.test(s)),
    );
    const word = fc.constantFrom("users", "api", "orders", "v1", "x");
    fc.assert(
      fc.property(word, id, word, (before, value, after) => {
        expect(automatic(`/${before}/${value}/${after}`)).toBe(`/${before}/{id}/${after}`);
      }),
    );
  });

  it("keeps the number of slashes and never throws", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 200 }), (text) => {
        const path = `/${text.replace(/[?#]/g, "")}`;
        expect(automatic(path).split("/")).toHaveLength(path.split("/").length);
      }),
    );
  });

  // What grows with the square of the length does not end before the test's time is up.
  it.each(["a", "1", "-", "%", "%40", "@.", "2024-01-15T", "{id}", "aB1-", "/a1"])("caps %j × 500,000", (unit) => {
    expect(automatic(`/${unit.repeat(500_000)}`).length).toBeLessThanOrEqual(256);
  });
});

describe("manual templates", () => {
  const route = createRouter({
    rawUris: false,
    templates: ["/shops/{shop}/items/{item}", "/shops/{a}/{b}/{c}", "/img/{name}.png", "/img/small-{name}"],
  });
  it.each([
    ["/shops/berlin/items/hat", "/shops/{shop}/items/{item}"],
    ["/shops/berlin/staff/bob?x", "/shops/{a}/{b}/{c}"],
    ["/shops/berlin/staff", "/shops/berlin/staff"],
    ["/shops//items/hat", "/shops//items/hat"],
    ["/shops/berlin/items/hat/", "/shops/berlin/items/hat/"],
    ["/img/cat.png", "/img/{name}.png"],
    ["/img/.png", "/img/.png"],
    ["/img/small-cat", "/img/small-{name}"],
    ["http://host/img/cat.png", "/img/{name}.png"],
    ["/users/42", "/users/{id}"],
  ])("%s → %s", (uri, template) => {
    expect(route(uri)).toBe(template);
  });

  it("count with raw URIs too, which leave the rest as it is", () => {
    const raw = createRouter({ rawUris: true, templates: ["/shops/{shop}"] });
    expect(raw("/shops/berlin?x")).toBe("/shops/{shop}");
    expect(raw("/users/42?x=1")).toBe("/users/42");
    expect(raw("http://host/users/42?x=1")).toBe("/users/42");
    expect(raw(`/${"a".repeat(9999)}`)).toHaveLength(256);
  });
});

describe("pathOf", () => {
  it.each([
    ["/a?b", "/a"],
    ["http://h/a?b", "/a"],
    ["*", "*"],
    ["h:1", "h:1"],
  ])("%s → %s", (uri, path) => {
    expect(pathOf(uri)).toBe(path);
  });
});
