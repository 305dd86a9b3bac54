// Makes a release, which the workflow publishes once its tag is pushed: the version, the changelog, a commit and a tag.
//
//     npm run release -- major|minor|patch|1.2.3
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'

const [wanted] = process.argv.slice(2)
if (wanted === undefined || !/^(?:major|minor|patch|\d+\.\d+\.\d+)$/.test(wanted)) {
  throw new Error(`say which: major, minor, patch or a version, such as 1.2.3; but came as ${wanted}`)
}
const git = (...args) => execFileSync('git', args, { encoding: 'utf8' }).trim()
if (git('status', '--porcelain') !== '') throw new Error('there are changes that are not committed')

const path = 'CHANGELOG.md'
const heading = '## [Unreleased]'
const changelog = readFileSync(path, 'utf8')
const [, unreleased = ''] = changelog.split(heading)
if (!/^### /m.test(unreleased.split(/^## /m)[0])) throw new Error(`${path} has nothing under ${heading}`)

const named = /^\d/.test(wanted) && JSON.parse(readFileSync('package.json', 'utf8')).version === wanted
if (!named) execFileSync('npm', ['version', wanted, '--no-git-tag-version'], { stdio: 'inherit' })
const { version } = JSON.parse(readFileSync('package.json', 'utf8'))
const day = new Date().toISOString().slice(0, 10)
writeFileSync(path, changelog.replace(heading, `${heading}\n\n## [${version}] - ${day}`))
git('add', path, 'package.json', 'package-lock.json')
git('commit', '--message', `Release ${version}`)
git('tag', '--annotate', `v${version}`, '--message', `hosepipe ${version}`)
console.log(`v${version} is made; git push --follow-tags publishes it`)
