// What the views are written with: Preact's elements in templates, so that there is nothing to build.
// Every value of telemetry reaches the page as a child of an element, which is a text node: markup in it stays text.
import htm from "../vendor/htm.mjs";
import { h } from "../vendor/preact.mjs";

export { Component, createRef, render } from "../vendor/preact.mjs";

export const html = htm.bind(h);

/** Joins the names of classes that are wanted. */
export const classes = (...names) => names.filter(Boolean).join(" ");
